#include "marquee/engine/connection.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>

#include "chdb_api.h"

namespace marquee::engine {
namespace {

// A piece of an insert: large enough to cost nothing, small enough that the engine parses while it is handed over.
constexpr std::size_t kInsertPiece = std::size_t{1} << 20;

/// Owns a result until it has been read.
class Outcome {
 public:
  Outcome(const chdb::Api& api, chdb::Result result) : api_(api), result_(result) {}
  ~Outcome() { api_.destroy(result_); }
  Outcome(const Outcome&) = delete;
  Outcome& operator=(const Outcome&) = delete;

  [[nodiscard]] const char* error() const { return api_.error(result_); }
  [[nodiscard]] std::string body() const {
    const std::size_t length = api_.length(result_);
    return length == 0 ? std::string() : std::string(api_.buffer(result_), length);
  }
  void add_to(Progress& progress) const {
    progress.read_rows += api_.storage_rows_read(result_);
    progress.read_bytes += api_.storage_bytes_read(result_);
    progress.written_rows += api_.rows_written(result_);
    progress.written_bytes += api_.bytes_written(result_);
    progress.result_rows += api_.rows_read(result_);
    progress.result_bytes += api_.bytes_read(result_);
  }
  [[nodiscard]] chdb::Result get() const { return result_; }

 private:
  const chdb::Api& api_;
  chdb::Result result_;
};

/// Parameters as the arrays that the engine's interface takes.
struct ParameterArrays {
  explicit ParameterArrays(const Parameters& parameters) {
    for (const auto& [name, value] : parameters) {
      names.push_back(name.c_str());
      name_lengths.push_back(name.size());
      values.push_back(value.c_str());
      value_lengths.push_back(value.size());
    }
  }
  std::vector<const char*> names;
  std::vector<std::size_t> name_lengths;
  std::vector<const char*> values;
  std::vector<std::size_t> value_lengths;
};

std::string quoted(std::string_view text, char quote) {
  std::string out(1, quote);
  for (const char c : text) {
    if (c == quote || c == '\\') out.push_back('\\');
    out.push_back(c);
  }
  out.push_back(quote);
  return out;
}

}  // namespace

struct Connection::Handle {
  chdb::Connection* connection = nullptr;
  [[nodiscard]] chdb::Connection get() const { return *connection; }
};

Connection::Connection(std::shared_ptr<const Library> library, std::unique_ptr<Handle> handle)
    : library_(std::move(library)), handle_(std::move(handle)) {}

Connection::~Connection() { library_->api().close(handle_->connection); }

std::unique_ptr<Connection> Connection::open(std::shared_ptr<const Library> library,
                                             std::vector<std::string> arguments) {
  static std::atomic<std::uint64_t> opened = 0;
  std::string program = "clickhouse";
  std::string mark = fmt::format("connection:{}", ++opened);
  arguments.push_back("--log_comment=" + mark);
  std::vector<char*> argv{program.data()};
  for (std::string& argument : arguments) argv.push_back(argument.data());
  auto handle = std::make_unique<Handle>();
  handle->connection = library->api().connect(static_cast<int>(argv.size()), argv.data());
  if (handle->connection == nullptr) return nullptr;
  std::unique_ptr<Connection> connection(new Connection(std::move(library), std::move(handle)));
  connection->mark_ = std::move(mark);
  return connection;
}

Failure Connection::fail(const char* text) {
  spent_ = true;
  return parse_failure(text);
}

Answer<> Connection::use(const std::string& database) {
  if (database == database_) return {};
  if (auto done = query("USE " + quote_name(database), "Null"); !done) return std::unexpected(done.error());
  database_ = database;
  return {};
}

Answer<> Connection::set(const Settings& settings) {
  if (settings.empty()) return {};
  std::string sql;
  for (const auto& [name, value] : settings) {
    sql += sql.empty() ? "SET " : ", ";
    sql += quote_name(name) + " = " + quote_text(value);
  }
  spent_ = true;  // Settings cannot be taken back one by one.
  if (auto done = query(sql, "Null"); !done) return std::unexpected(done.error());
  return {};
}

Answer<std::string> Connection::query(std::string_view sql, std::string_view format, const Parameters& parameters) {
  const chdb::Api& api = library_->api();
  const ParameterArrays arrays(parameters);
  const Outcome outcome(
      api, api.query(handle_->get(), sql.data(), sql.size(), format.data(), format.size(), arrays.names.data(),
                     arrays.name_lengths.data(), arrays.values.data(), arrays.value_lengths.data(), parameters.size()));
  if (const char* error = outcome.error(); error != nullptr) return std::unexpected(fail(error));
  progress_ = {};
  outcome.add_to(progress_);
  return outcome.body();
}

Answer<> Connection::stream(std::string_view sql, std::string_view format, const Parameters& parameters,
                            const std::function<bool(std::string)>& on_piece) {
  const chdb::Api& api = library_->api();
  const ParameterArrays arrays(parameters);
  const Outcome stream(api, api.stream(handle_->get(), sql.data(), sql.size(), format.data(), format.size(),
                                       arrays.names.data(), arrays.name_lengths.data(), arrays.values.data(),
                                       arrays.value_lengths.data(), parameters.size()));
  if (const char* error = stream.error(); error != nullptr) return std::unexpected(fail(error));
  progress_ = {};
  for (;;) {
    const Outcome piece(api, api.fetch(handle_->get(), stream.get()));
    if (const char* error = piece.error(); error != nullptr) return std::unexpected(fail(error));
    piece.add_to(progress_);
    std::string body = piece.body();
    if (body.empty()) return {};
    if (!on_piece(std::move(body))) {
      api.cancel(handle_->get(), stream.get());
      spent_ = true;
      return std::unexpected(failure(kCancelled, "QUERY_WAS_CANCELLED", "The client did not want the rest"));
    }
  }
}

Answer<> Connection::insert(std::string_view statement, std::string_view format, const Parameters& parameters,
                            std::string_view data) {
  const chdb::Api& api = library_->api();
  const ParameterArrays arrays(parameters);
  const std::unique_ptr<chdb::OpaqueInsert, void (*)(chdb::Insert)> insert(
      api.insert(handle_->get(), statement.data(), statement.size(), format.data(), format.size(), arrays.names.data(),
                 arrays.name_lengths.data(), arrays.values.data(), arrays.value_lengths.data(), parameters.size()),
      api.destroy_insert);
  if (const char* error = api.insert_error(insert.get()); error != nullptr) return std::unexpected(fail(error));
  while (!data.empty()) {
    const std::string_view piece = data.substr(0, kInsertPiece);
    if (api.append(insert.get(), piece.data(), piece.size()) != 0) {
      const char* error = api.insert_error(insert.get());
      return std::unexpected(fail(error == nullptr ? "the insert ended early" : error));
    }
    data.remove_prefix(piece.size());
  }
  const Outcome outcome(api, api.done(insert.get()));
  if (const char* error = outcome.error(); error != nullptr) return std::unexpected(fail(error));
  progress_ = {};
  outcome.add_to(progress_);
  return {};
}

// What a failed statement had already given comes before the answer of the next one, and then no more.
bool Connection::settle() {
  static_cast<void>(query("SELECT 1", "TSV"));
  const auto answer = query("SELECT 1", "TSV");
  return answer && *answer == "1\n";
}

Classification Connection::classify(std::string_view sql) const {
  chdb::Analysis analysis;
  if (library_->api().classify(handle_->get(), sql.data(), sql.size(), nullptr, 0, &analysis) != 0) return {};
  return {.statements = analysis.statements,
          .changes_nothing = analysis.change == static_cast<std::uint32_t>(chdb::Change::nothing),
          .has_secrets = (analysis.flags & chdb::kHasSecrets) != 0};
}

bool streams_in_pieces(std::string_view format) {
  // Measured: for these the pieces put together equal the whole, totals and empty results included.
  static constexpr std::array kFormats = {std::string_view("tabseparated"),
                                          std::string_view("tsv"),
                                          std::string_view("tabseparatedraw"),
                                          std::string_view("tsvraw"),
                                          std::string_view("raw"),
                                          std::string_view("csv"),
                                          std::string_view("jsoneachrow"),
                                          std::string_view("jsonlines"),
                                          std::string_view("ndjson"),
                                          std::string_view("jsonl"),
                                          std::string_view("native"),
                                          std::string_view("rowbinary"),
                                          std::string_view("msgpack"),
                                          std::string_view("tskv"),
                                          std::string_view("jsoncompacteachrow"),
                                          std::string_view("jsonstringseachrow"),
                                          std::string_view("jsoncompactstringseachrow"),
                                          std::string_view("lineasstring")};
  std::string lower(format);
  std::ranges::transform(lower, lower.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return std::ranges::find(kFormats, lower) != kFormats.end();
}

std::string quote_text(std::string_view text) { return quoted(text, '\''); }
std::string quote_name(std::string_view name) { return quoted(name, '`'); }

}  // namespace marquee::engine
