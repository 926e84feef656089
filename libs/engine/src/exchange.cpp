#include "exchange.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <random>
#include <utility>

#include "format_header.h"
#include "sql_tokens.h"

namespace marquee::engine {
namespace {

// The engine names its queries itself; ours goes with the query as its comment, where KILL finds it.
constexpr std::string_view kIdMark = "marquee:";

std::string random_id() {
  thread_local std::mt19937_64 random{std::random_device{}()};
  const auto part = [](std::uint64_t value, unsigned shift, std::uint64_t mask) { return value >> shift & mask; };
  const std::uint64_t high = random();
  const std::uint64_t low = random();
  return fmt::format("{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}", part(high, 32, 0xFFFFFFFF), part(high, 16, 0xFFFF),
                     part(high, 0, 0xFFF), 0x8000 | part(low, 48, 0x3FFF), part(low, 0, 0xFFFFFFFFFFFF));
}

std::unexpected<Failure> denied(std::string_view why) {
  return std::unexpected(failure(kAccessDenied, "ACCESS_DENIED", why));
}

/// True where the text holds {name:Identifier}: a name that arrives apart from the query cannot be judged with it.
bool has_identifier_parameter(std::string_view text) {
  Tokens tokens(text);
  Token before;
  Token token = tokens.next();
  for (; token.kind != Token::Kind::end; before = token, token = tokens.next()) {
    if (before.is_symbol(':') && token.is("IDENTIFIER")) return true;
  }
  return false;
}

/// SHOW CLUSTERS and the like: in the tree they are as SHOW TABLES.
bool shows_the_server(std::string_view text) {
  Tokens tokens(text);
  if (!tokens.next().is("SHOW")) return false;
  const Token what = tokens.next();
  return what.is("CLUSTER") || what.is("CLUSTERS") || what.is("MERGES") || what.is("FILESYSTEM");
}

bool is_comment(const Settings& settings) {
  for (const auto& [name, value] : settings) {
    if (name == "log_comment") return true;
  }
  return false;
}

}  // namespace

Exchange::Exchange(Shared& shared, StoreRequest request, Role role, AnswerWriter writer)
    : shared_(shared),
      request_(std::move(request)),
      role_(role),
      writer_(std::move(writer)),
      query_id_(request_.query_id.empty() ? random_id() : request_.query_id) {}

void Exchange::run(std::string body) {
  writer_.describe(request_, request_.format, query_id_);
  // The id is free again, and the connection returned, before the answer is out: who has it may send the next.
  auto done = answer(std::move(body));
  if (done) {
    writer_.finish(*done);
  } else {
    writer_.fail(done.error());
  }
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
  auto done = run_in_session(work);
  if (done) {
    done->elapsed_ns =
        static_cast<std::uint64_t>(std::chrono::nanoseconds(std::chrono::steady_clock::now() - begin).count());
  }
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

Answer<Progress> Exchange::run_alone(const Work& work, Pool::Lease connection) {
  const std::string database = request_.database.empty() ? "default" : request_.database;
  if (auto used = connection->use(database); !used) return std::unexpected(used.error());
  return perform(work, *connection);
}

Answer<Progress> Exchange::run_in_session(const Work& work) {
  auto lease = shared_.pool->lend(request_.database.empty() ? "default" : request_.database);
  if (!lease) return std::unexpected(lease.error());
  if (request_.session_id.empty()) return run_alone(work, std::move(*lease));
  auto session = shared_.sessions.take({.name = request_.user + '\n' + request_.session_id,
                                        .timeout = request_.session_timeout,
                                        .must_exist = request_.session_must_exist,
                                        .ends_after = request_.closes_session});
  if (!session) return std::unexpected(session.error());
  if (session->connection() == nullptr) {
    const bool may_leave = role_ == Role::admin && work.statement.kind == Statement::Kind::other &&
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
  for (const ExternalTable& table : work.tables) {
    if (auto made = make_external_table(table, connection); !made) return std::unexpected(made.error());
  }
  if (auto prepared = prepare(connection); !prepared) return std::unexpected(prepared.error());
  const auto done = work.statement.kind == Statement::Kind::insert ? insert(work.statement, work.data, connection)
                                                                   : execute(work.text, work.statement, connection);
  if (!done) return std::unexpected(done.error());
  return connection.progress();
}

Answer<> Exchange::admit(std::string_view text, const Statement& statement, Connection& connection) const {
  if (statement.kind == Statement::Kind::empty) {
    return std::unexpected(failure(kSyntaxError, "SYNTAX_ERROR", "Syntax error: Empty query"));
  }
  if (statement.into_outfile || statement.kind == Statement::Kind::insert_infile) {
    return std::unexpected(
        failure(kIntoOutfileNotAllowed, "INTO_OUTFILE_NOT_ALLOWED", "files of the server are not for clients"));
  }
  if (role_ == Role::reader) return admit_reader(text, statement);
  const bool inserts = statement.kind == Statement::Kind::insert;
  const Classification found = inserts ? Classification{.statements = 1} : connection.classify(text);
  if (found.statements > 1) {
    return std::unexpected(failure(kSyntaxError, "SYNTAX_ERROR", "Syntax error (Multi-statements are not allowed)"));
  }
  if (request_.reading_only && found.statements == 1 && !found.changes_nothing) {
    return std::unexpected(
        failure(kReadonly, "READONLY",
                "Cannot execute query in readonly mode. For queries over HTTP, method GET implies readonly. "
                "You should use method POST for modifying queries."));
  }
  if (!found.changes_nothing && !inserts) connection.spend();  // It may be USE or SET.
  return {};
}

// On a connection of its own with the engine's defaults, so that nothing the reader sends changes how it is read.
Answer<> Exchange::admit_reader(std::string_view text, const Statement& statement) const {
  if (statement.kind != Statement::Kind::select && statement.kind != Statement::Kind::other) {
    return std::unexpected(failure(kReadonly, "READONLY", "a reader may only read"));
  }
  if (auto refused = ReaderPolicy::refusal_of_database(request_.database); refused) return denied(*refused);
  for (const auto& [name, value] : request_.settings) {
    if (auto refused = ReaderPolicy::refusal_of_setting(name); refused) return denied(*refused);
  }
  auto judge = shared_.pool->lend();
  if (!judge) return std::unexpected(judge.error());
  const Classification found = (*judge)->classify(text);
  if (found.statements > 1) {
    return std::unexpected(failure(kSyntaxError, "SYNTAX_ERROR", "Syntax error (Multi-statements are not allowed)"));
  }
  const std::string explain = fmt::format("EXPLAIN AST {}", text);
  // Parameters become literals of the tree; those that would become names are refused below.
  auto tree = (*judge)->query(explain, "TSVRaw", request_.parameters);
  if (!tree) return std::unexpected(tree.error());
  if (!found.changes_nothing) return std::unexpected(failure(kReadonly, "READONLY", "a reader may only read"));
  if (found.has_secrets) return denied("a reader's query may not carry credentials");
  if (shows_the_server(text)) return denied("a reader may not look at the server");
  if (has_identifier_parameter(text)) return denied("a reader may not send names as parameters");
  if (auto refused = shared_.policy->refusal(*tree); refused) return denied(*refused);
  return {};
}

/// A reader may tighten its limits, not widen them (0 is no limit).
std::string Exchange::bounded(const std::string& name, const std::string& value, const Settings& limits) {
  const auto limit = std::ranges::find(limits, name, &Settings::value_type::first);
  if (limit == limits.end() || limit->second == "0") return value;
  std::uint64_t asked = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), asked);
  if (error != std::errc() || end != value.data() + value.size() || asked == 0) return limit->second;
  return std::min(asked, static_cast<std::uint64_t>(std::stoull(limit->second))) == asked ? value : limit->second;
}

Settings Exchange::wanted_settings() const {
  Settings settings;
  const ReaderLimits& limits = shared_.reader_limits;
  if (role_ == Role::reader) {
    settings = {{"max_execution_time", std::to_string(limits.max_execution_seconds)},
                {"max_memory_usage", std::to_string(limits.max_memory_bytes)},
                {"max_result_bytes", std::to_string(limits.max_result_bytes)}};
  }
  for (const auto& [name, value] : request_.settings) {
    if (role_ != Role::reader) {
      settings.emplace_back(name, value);
    } else if (name != "readonly") {
      settings.emplace_back(name, bounded(name, value, settings));
    }
  }
  if (!request_.query_id.empty() && !is_comment(request_.settings)) {
    settings.emplace_back("log_comment", std::string(kIdMark) + request_.query_id);
  }
  return settings;
}

Answer<> Exchange::prepare(Connection& connection) const {
  if (auto set = connection.set(wanted_settings()); !set) return set;
  // By itself and last: nothing can be set after it, and it cannot be taken back.
  if (role_ == Role::reader) return connection.set({{"readonly", "1"}});
  return {};
}

Answer<> Exchange::insert(const Statement& statement, std::string_view data, Connection& connection) {
  const std::string_view format = statement.format.empty() ? std::string_view(request_.format) : statement.format;
  return connection.insert(statement.head, format, request_.parameters, data);
}

Answer<> Exchange::execute(std::string_view text, const Statement& statement, Connection& connection) {
  if (statement.kind == Statement::Kind::kill && !statement.kill_condition.empty())
    return execute_kill(statement, connection);
  const std::string format(statement.format.empty() ? std::string_view(request_.format) : statement.format);
  writer_.describe(request_, format, query_id_);
  const bool headed = repeats_header(format);
  if (statement.kind == Statement::Kind::select && (headed || streams_in_pieces(format))) {
    HeaderOnce header(format);
    auto done = connection.stream(text, format, request_.parameters, [&](std::string piece) {
      return writer_.write(headed ? header.pass(std::move(piece)) : std::move(piece));
    });
    // WITH ... INSERT looks like a query; the engine says that it is none before it has done anything.
    const bool not_streamed = !done && done.error().code == kBadArguments &&
                              done.error().message.find("Streaming query is not supported") != std::string::npos;
    if (!not_streamed) return done;
    return std::unexpected(
        failure(kNotImplemented, "NOT_IMPLEMENTED", "INSERT cannot begin with WITH here: put WITH after INSERT INTO"));
  }
  auto body = connection.query(text, format, request_.parameters);
  if (!body) return std::unexpected(body.error());
  if (!body->empty()) static_cast<void>(writer_.write(std::move(*body)));
  return {};
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
