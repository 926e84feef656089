#include "exchange.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <random>
#include <utility>

#include "format_header.h"
#include "known_functions.h"
#include "sql_tokens.h"

namespace marquee::engine {
namespace {

// The engine names its queries itself; ours goes with the query as its comment, where KILL finds it.
constexpr std::string_view kIdMark = "marquee:";
constexpr std::size_t kMostLogged = 4'096;  // Bytes of a statement's text.
// How often a statement is looked at where its client does not want to know: for its summary.
constexpr std::chrono::milliseconds kLook{1000};

std::string random_id() {
  thread_local std::mt19937_64 random{std::random_device{}()};
  const auto part = [](std::uint64_t value, unsigned shift, std::uint64_t mask) { return value >> shift & mask; };
  const std::uint64_t high = random();
  const std::uint64_t low = random();
  return fmt::format("{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}", part(high, 32, 0xFFFFFFFF), part(high, 16, 0xFFFF),
                     part(high, 0, 0xFFF), 0x8000 | part(low, 48, 0x3FFF), part(low, 0, 0xFFFFFFFFFFFF));
}

/// Of lines of TSV.
std::vector<std::string> second_fields(std::string_view lines) {
  std::vector<std::string> out;
  while (!lines.empty()) {
    const std::size_t end = std::min(lines.find('\n'), lines.size());
    const std::string_view line = lines.substr(0, end);
    lines.remove_prefix(std::min(end + 1, lines.size()));
    const std::size_t second = std::min(line.find('\t'), line.size() - 1) + 1;
    out.emplace_back(line.substr(second, line.find('\t', second) - second));
  }
  return out;
}

/// As ClickHouse names a statement's kind: its first word.
std::string kind_of(std::string_view text) {
  const Token first = Tokens(text).next();
  const Token kind = first.is("WITH") || first.is_symbol('(') ? Token{.text = "SELECT"} : first;
  std::string out(kind.text.substr(0, 32));
  for (std::size_t i = 0; i < out.size(); ++i) {
    const bool is_capital = out[i] >= 'A' && out[i] <= 'Z';
    const bool is_small = out[i] >= 'a' && out[i] <= 'z';
    if (i == 0 ? is_small : is_capital) out[i] = static_cast<char>(out[i] ^ 0x20);
  }
  return out;
}

bool mentions_log(std::string_view text) {
  Tokens tokens(text);
  for (Token token = tokens.next(); token.kind != Token::Kind::end; token = tokens.next()) {
    if (token.is("QUERY_LOG") || token.is("SESSION_LOG") || token.is("LOGS")) return true;
  }
  return false;
}

bool is_comment(const Settings& settings) {
  for (const auto& [name, value] : settings) {
    if (name == "log_comment") return true;
  }
  return false;
}

}  // namespace

Exchange::Exchange(Shared& shared, StoreRequest request, Caller caller, AnswerWriter writer)
    : shared_(shared),
      request_(std::move(request)),
      caller_(std::move(caller)),
      writer_(std::move(writer)),
      query_id_(request_.query_id.empty() ? random_id() : request_.query_id) {}

void Exchange::run(std::string body) {
  writer_.describe(request_, request_.format, query_id_);
  // The id is free again, and the connection returned, before the answer is out: who has it may send the next.
  auto done = answer(std::move(body));
  log(done);
  if (done) {
    writer_.finish(*done);
  } else {
    writer_.fail(done.error());
  }
}

/// Before the answer is out: who has it may ask for the log.
void Exchange::log(const Answer<Progress>& done) {
  record_.query_id = query_id_;
  record_.user = caller_.user->name;
  record_.database = current_database();
  record_.address = request_.remote_address;
  record_.user_agent = request_.user_agent;
  record_.is_get = request_.reading_only;
  record_.settings = request_.settings;
  record_.used = writer_.completed(done.value_or(Progress{}));
  if (!done) record_.failed = done.error();
  shared_.log.add(std::move(record_));
}

Answer<Progress> Exchange::answer(std::string body) {
  const auto begin = std::chrono::steady_clock::now();
  const auto held = shared_.running.hold(query_id_);
  if (!held) {
    return std::unexpected(failure(kQueryIdTaken, "QUERY_WITH_SAME_ID_IS_ALREADY_RUNNING",
                                   fmt::format("Query with id = {} is already running.", query_id_)));
  }
  shared_.sessions.expire(begin);
  Work work;
  if (auto done = read(std::move(body), work); !done) return std::unexpected(done.error());
  record_.text = work.text.substr(0, kMostLogged);
  // As ClickHouse has it: what follows ?query= begins on a line of its own.
  const bool data_follows = work.statement.kind == Statement::Kind::insert && !request_.query.ends_with('\n');
  if (data_follows && !request_.query.empty()) record_.text += '\n';
  record_.kind = kind_of(work.text);
  if (auto access = read_access_statement(work.text, current_database()); access) {
    record_.text = fmt::format("[{} of users and roles]", record_.kind);  // It may hold a password.
    if (!*access) return std::unexpected(access->error());
    return run_access(std::move(**access));
  }
  // Of what was sent, not of what is put in; data of an insert are no names.
  const bool inserts = work.statement.kind == Statement::Kind::insert;
  if (caller_.scope) unclear_names_ = refusal_of_names(inserts ? work.statement.head : work.text);
  if (work.statement.kind == Statement::Kind::select) {
    work.text = with_known_functions(std::move(work.text),
                                     {.user = caller_.user->name, .roles = caller_.roles, .query_id = query_id_});
    work.statement = read_statement(work.text);
  }
  // Rows that wait to be written show to who asks for them.
  if (work.text.size() < kMostLogged && mentions_log(work.text)) {
    shared_.log.flush(*shared_.pool);
    shared_.logins.flush(*shared_.pool);
  }
  if (auto may = shared_.quotas.begin(*caller_.user, Quotas::Clock::now()); !may) return std::unexpected(may.error());
  auto done = run_in_session(work);
  Progress used = done.value_or(Progress{});
  used.elapsed_ns =
      static_cast<std::uint64_t>(std::chrono::nanoseconds(std::chrono::steady_clock::now() - begin).count());
  if (done) *done = used;
  shared_.quotas.end(*caller_.user, used, !done, Quotas::Clock::now());
  return done;
}

// As ClickHouse reads it: ?query= and the body are one text. The body of an insert is not copied for that.
Answer<> Exchange::read(std::string body, Work& work) {
  auto decoded = decode_request_body(std::move(body), request_, shared_.max_body_bytes);
  if (!decoded) return std::unexpected(decoded.error());
  if (!request_.boundary.empty()) return read_tables(std::move(*decoded), work);
  work.statement = read_statement(request_.query);
  if (work.statement.kind == Statement::Kind::insert) {
    work.text = request_.query;
    work.statement = read_statement(work.text);
    work.body = work.statement.data.empty() ? std::move(*decoded) : std::string(work.statement.data) + *decoded;
    work.data = work.body;
    return {};
  }
  if (request_.query.empty()) {
    work.text = std::move(*decoded);
  } else {
    work.text = decoded->empty() ? request_.query : request_.query + '\n' + *decoded;
  }
  work.statement = read_statement(work.text);
  work.data = work.statement.data;
  return {};
}

/// A form: files are external tables, other parts parameters as those of the address.
Answer<> Exchange::read_tables(std::string body, Work& work) {
  constexpr std::string_view kParameter = "param_";
  work.body = std::move(body);
  const auto parts = read_form(work.body, request_.boundary);
  if (!parts) return std::unexpected(parts.error());
  work.text = request_.query;
  for (const FormPart& part : *parts) {
    if (part.is_file) {
      auto table = read_external_table(part, request_.externals);
      if (!table) return std::unexpected(table.error());
      work.tables.push_back(std::move(*table));
    } else if (part.name == "query") {
      work.text += part.data;
    } else if (part.name.starts_with(kParameter)) {
      request_.parameters.emplace_back(part.name.substr(kParameter.size()), std::string(part.data));
    }
  }
  work.statement = read_statement(work.text);
  work.data = work.statement.data;
  return {};
}

std::string Exchange::current_database() const { return request_.database.empty() ? "default" : request_.database; }

Answer<Progress> Exchange::run_access(AccessStatement statement) {
  using Kind = AccessStatement::Kind;
  if (!statement.changes_something() && statement.kind != Kind::set_role) return list_access(statement);
  writer_.has_no_rows();
  if (statement.kind == Kind::set_role) {
    if (caller_.role != Role::admin && !caller_.scope) return denied("its roles are those of the command line");
    if (!request_.session_id.empty()) {
      return std::unexpected(failure(kNotImplemented, "NOT_IMPLEMENTED",
                                     "the store has no roles of a session; send role= with each request"));
    }
    // Without a session it lasts for no other request. Whoever asks learns whether it has the role.
    StoreRequest as_told = request_;
    as_told.roles = statement.defaults->names;
    if (auto has = shared_.access->admit(as_told); !has) return std::unexpected(has.error());
    return Progress{};
  }
  if (caller_.role != Role::admin) return denied("only an administrator changes users and roles");
  if (request_.reading_only) {
    return std::unexpected(failure(kReadonly, "READONLY", "Cannot execute query in readonly mode; use method POST"));
  }
  if (auto done = shared_.access->apply(std::move(statement)); !done) return std::unexpected(done.error());
  return Progress{};
}

Answer<Progress> Exchange::list_access(const AccessStatement& statement) {
  const bool is_own = statement.kind == AccessStatement::Kind::show_grants && statement.names.empty();
  const bool may = caller_.role == Role::admin || (is_own && caller_.scope);
  if (!may) return denied("only an administrator looks at users and roles");
  const auto names = shared_.access->list(statement, caller_);
  if (!names) return std::unexpected(names.error());
  std::string values;
  for (const std::string& name : *names) values += (values.empty() ? "" : ", ") + quote_text(name);
  auto connection = shared_.pool->lend();
  if (!connection) return std::unexpected(connection.error());
  auto body =
      (*connection)
          ->query(fmt::format("SELECT arrayJoin(CAST([{}], 'Array(String)')) AS name", values), request_.format);
  if (!body) return std::unexpected(body.error());
  static_cast<void>(writer_.write(std::move(*body)));
  return (*connection)->progress();
}

Answer<Progress> Exchange::run_alone(const Work& work, Pool::Lease connection) {
  if (auto used = connection->use(current_database()); !used) return std::unexpected(used.error());
  return perform(work, *connection);
}

Answer<Progress> Exchange::run_in_session(const Work& work) {
  auto lease = shared_.pool->lend(current_database());
  if (!lease) return std::unexpected(lease.error());
  if (request_.session_id.empty()) return run_alone(work, std::move(*lease));
  auto session = shared_.sessions.take({.name = request_.user + '\n' + request_.session_id,
                                        .timeout = request_.session_timeout,
                                        .must_exist = request_.session_must_exist,
                                        .ends_after = request_.closes_session});
  if (!session) return std::unexpected(session.error());
  if (session->connection() == nullptr) {
    const bool may_leave = caller_.role == Role::admin && work.statement.kind == Statement::Kind::other &&
                           !(*lease)->classify(work.text).changes_nothing;
    if (!may_leave) return run_alone(work, std::move(*lease));
    session->connection() = std::make_unique<Pool::Lease>(std::move(*lease));
  }
  bool is_lost = false;
  auto done = run_lasting(work, **session->connection(), is_lost);
  if (is_lost) session->connection().reset();
  return done;
}

/// On a session's own connection, which keeps what the statement leaves and nothing of the request's own settings.
Answer<Progress> Exchange::run_lasting(const Work& work, Connection& connection, bool& is_lost) {
  connection.spend();
  is_lost = true;
  const auto overlay = Overlay::over(connection, wanted_settings(), request_.database);
  if (!overlay) return std::unexpected(overlay.error());
  Answer<Progress> done;
  if (!request_.database.empty()) {
    auto used = connection.query("USE " + quote_name(request_.database), "Null");
    if (!used) done = std::unexpected(used.error());
  }
  if (done) done = perform(work, connection);
  is_lost = (!done && !connection.settle()) || !overlay->take_back(connection);
  for (const ExternalTable& table : work.tables) {
    if (!is_lost) is_lost = !connection.query("DROP TEMPORARY TABLE IF EXISTS " + quote_name(table.name), "Null");
  }
  return done;
}

Answer<Progress> Exchange::perform(const Work& work, Connection& connection) {
  if (auto admitted = admit(work.text, work.statement, connection); !admitted) return std::unexpected(admitted.error());
  // Settings say how external tables are read, too; once the connection is restricted, none can be made.
  if (auto set = connection.set(wanted_settings()); !set) return std::unexpected(set.error());
  for (const ExternalTable& table : work.tables) {
    if (auto made = make_external_table(table, connection); !made) return std::unexpected(made.error());
  }
  if (auto restricted = restrict(work.statement, connection); !restricted) return std::unexpected(restricted.error());
  QueryWatch::Statement running = watched(work, connection);
  if (running.client && running.client->has_left) {
    return std::unexpected(failure(kCancelled, "QUERY_WAS_CANCELLED", "The client left before the query began"));
  }
  const auto held = shared_.watch->watch(std::move(running));
  const auto done = work.statement.kind == Statement::Kind::insert ? insert(work.statement, work.data, connection)
                                                                   : execute(work.text, work.statement, connection);
  if (!done) return std::unexpected(done.error());
  return connection.progress();
}

/// The comment that tells the client's query_id to KILL; empty where there is none, or a comment of the client's own.
std::string Exchange::own_mark() const {
  if (request_.query_id.empty() || is_comment(request_.settings)) return {};
  return std::string(kIdMark) + request_.query_id;
}

/// A query ends when its client leaves; what changes something goes on, as it began.
QueryWatch::Statement Exchange::watched(const Work& work, const Connection& connection) {
  QueryWatch::Statement statement;
  statement.mark = own_mark();
  if (statement.mark.empty()) statement.mark = connection.mark();
  if (work.statement.kind == Statement::Kind::select) statement.client = caller_.client;
  statement.interval = request_.progress_interval.value_or(kLook);
  statement.on_progress = [this](const Progress& progress) { writer_.tell(progress); };
  return statement;
}

Answer<> Exchange::insert(const Statement& statement, std::string_view data, Connection& connection) {
  writer_.has_no_rows();
  const std::string_view format = statement.format.empty() ? std::string_view(request_.format) : statement.format;
  return connection.insert(statement.head, format, request_.parameters, data);
}

Answer<> Exchange::execute(std::string_view text, const Statement& statement, Connection& connection) {
  if (statement.kind == Statement::Kind::kill && !statement.kill_condition.empty())
    return execute_kill(statement, connection);
  const std::string format(statement.format.empty() ? std::string_view(request_.format) : statement.format);
  // The writer may ask when this statement has ended.
  std::string asked;
  if (statement.kind == Statement::Kind::select) {
    asked = text;
    if (const std::string_view clause = statement.format_clause; !clause.empty()) {
      asked.replace(static_cast<std::size_t>(clause.data() - text.data()), clause.size(), " ");
    }
  }
  writer_.describe(request_, format, query_id_, [this, asked = std::move(asked)] { return column_types(asked); });
  const bool headed = repeats_header(format);
  if (statement.kind == Statement::Kind::select && (headed || streams_in_pieces(format))) {
    HeaderOnce header(format);
    return connection.stream(text, format, request_.parameters, [&](std::string piece) {
      return writer_.write(headed ? header.pass(std::move(piece)) : std::move(piece));
    });
  }
  auto body = connection.query(text, format, request_.parameters);
  if (!body) return std::unexpected(body.error());
  if (!body->empty()) {
    static_cast<void>(writer_.write(std::move(*body)));
  } else if (!gives_rows_) {
    writer_.has_no_rows();
  }
  return {};
}

// On a connection of its own: the query's is in the middle of its answer. With the bounds of the query, as a part of it
// may run for its types to be known. Where that fails the types are not known, and the answer goes on without.
std::vector<std::string> Exchange::column_types(std::string_view text) const {
  if (text.empty()) return {};
  auto connection = shared_.pool->lend(current_database());
  if (!connection || !(*connection)->use(current_database())) return {};
  if (!(*connection)->set(wanted_settings())) return {};
  if (!restrict({.kind = Statement::Kind::select}, **connection)) return {};
  while (!text.empty() && (text.back() == ';' || text.back() == ' ' || text.back() == '\n')) text.remove_suffix(1);
  const auto rows = (*connection)->query(fmt::format("DESCRIBE TABLE ({}\n)", text), "TSVRaw", request_.parameters);
  return rows ? second_fields(*rows) : std::vector<std::string>();
}

// The condition is asked of the running queries with our ids in place of the engine's; the engine's then name what to
// kill.
Answer<> Exchange::execute_kill(const Statement& statement, Connection& connection) {
  Tokens tokens(statement.kill_before);
  static_cast<void>(tokens.next());
  const bool of_queries = tokens.next().is("QUERY");
  std::string condition(statement.kill_condition);
  if (of_queries) {
    const std::string sql = fmt::format(
        "SELECT engine_query_id FROM (SELECT * REPLACE (if(startsWith(Settings['log_comment'], '{0}'), "
        "substring(Settings['log_comment'], {1}), query_id) AS query_id) FROM "
        "(SELECT *, query_id AS engine_query_id FROM system.processes)) WHERE {2}",
        kIdMark, kIdMark.size() + 1, statement.kill_condition);
    auto ids = connection.query(sql, "TSV", request_.parameters);
    if (!ids) return std::unexpected(ids.error());
    condition = " query_id IN ('-'";
    for (std::size_t begin = 0, end = 0; (end = ids->find('\n', begin)) != std::string::npos; begin = end + 1) {
      condition += ", '" + ids->substr(begin, end - begin) + "'";
    }
    condition += ") ";
  }
  auto body = connection.query(fmt::format("{}{}{}", statement.kill_before, condition, statement.kill_after),
                               request_.format, request_.parameters);
  if (!body) return std::unexpected(body.error());
  if (!body->empty()) static_cast<void>(writer_.write(std::move(*body)));
  return {};
}

}  // namespace marquee::engine
