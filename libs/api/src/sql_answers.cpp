#include "sql_answers.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <future>
#include <random>
#include <thread>
#include <utility>

#include "marquee/base/logging.h"
#include "sql_result.h"

namespace marquee::api {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kMostStatements = 8;  ///< At once.
constexpr std::size_t kMostSqlBytes = 100'000;
constexpr auto kBetweenLooksForAsker = 200ms;
constexpr const char* kSqlMemory = "1073741824";
constexpr const char* kMostResultBytes = "67108864";  ///< Of the rows that a page shows, as the store holds them.
constexpr const char* kRowFormat = "JSONCompactEachRowWithNamesAndTypes";
constexpr const char* kSqlRefusal =
    "the store at store.url has no user that may only read: make one and name it in store.reader_user and "
    "store.reader_password (docs/sql.md)";

/// ClickHouse's codes for what is not the statement's fault.
bool is_about_the_reader(int code) { return code == 192 || code == 193 || code == 194 || code == 516; }
bool is_full(int code) { return code == 202; }

std::string new_statement_id() {
  std::random_device random;
  return fmt::format("sql-{:08x}{:08x}", random(), random());
}

/// What every statement is held to. A user of Marquee's own store has `readonly` in any case.
clickhouse::Settings bounds_of(std::int64_t seconds) {
  return {{"readonly", "1"}, {"max_execution_time", std::to_string(seconds)}, {"max_memory_usage", kSqlMemory}};
}

Json text_list(const clickhouse::Table& table) {
  Json list = Json::array();
  for (const auto& row : table.rows) list.push_back(row.at(0));
  return list;
}

http::Response no_reader() { return error_answer(501, kSqlRefusal); }

}  // namespace

struct SqlAnswers::Asked {
  std::string sql;
  Form form = Form::json;
  std::string actor;
  std::string query_id;
};

Result<SqlAnswers::Asked> SqlAnswers::read(const http::Request& request) {
  const auto body = read_object(request, {"sql"});
  if (!body) return body.error();
  auto sql = text_of(*body, "sql", std::nullopt);
  if (!sql) return sql.error();
  if (sql->empty() || sql->size() > kMostSqlBytes) return Error::reject("sql: expected 1 to 100000 bytes");
  const auto form = choice_parameter(request, "format", {"json", "csv", "parquet"});
  if (!form) return form.error();
  return Asked{.sql = std::move(*sql),
               .form = *form == "csv"       ? Form::csv
                       : *form == "parquet" ? Form::parquet
                                            : Form::json,
               .actor = request.actor,
               .query_id = new_statement_id()};
}

void SqlAnswers::answer(http::Request request, http::Responder responder) {
  if (options_.reader == nullptr) return responder.send(no_reader());
  auto asked = read(request);
  if (!asked) return responder.send(error_answer(asked.error()));
  {
    const std::lock_guard lock(mutex_);
    if (is_stopping_ || running_ >= kMostStatements)
      return responder.send(error_answer(Error::retry("many statements are under way: ask again in a moment")));
    ++running_;
  }
  std::thread([this, asked = std::move(*asked), responder = std::move(responder)]() mutable {
    try {
      run(asked, std::move(responder));
    } catch (const std::exception& e) {
      logging::error("sql.failed", {{"query_id", asked.query_id}, {"error", std::string_view(e.what())}});
    }
    const std::lock_guard lock(mutex_);
    --running_;
    ended_.notify_all();
  }).detach();
}

void SqlAnswers::stop() {
  is_stopping_ = true;
  std::unique_lock lock(mutex_);
  ended_.wait(lock, [this] { return running_ == 0; });
}

void SqlAnswers::run(const Asked& asked, http::Responder responder) {
  const auto has_left = std::make_shared<std::atomic<bool>>(false);
  responder.on_client_gone([has_left] { *has_left = true; });
  watch(asked.query_id, *has_left, [&] {
    if (asked.form == Form::json) {
      tell_rows(asked, responder);
    } else {
      send_file(asked, responder);
    }
  });
}

void SqlAnswers::watch(const std::string& query_id, const std::atomic<bool>& has_left,
                       const std::function<void()>& ask) {
  auto asking = std::async(std::launch::async, ask);
  while (asking.wait_for(kBetweenLooksForAsker) != std::future_status::ready) {
    if (!has_left && !is_stopping_) continue;
    (void)store_.execute("KILL QUERY WHERE query_id = {id:String} ASYNC", {{"id", query_id}});
  }
  asking.get();
}

void SqlAnswers::tell_rows(const Asked& asked, http::Responder& responder) {
  const SqlLimits limits;
  clickhouse::QueryOptions query{.settings = bounds_of(options_.seconds),
                                 .query_id = asked.query_id,
                                 .format = kRowFormat,
                                 .timeout_ms = (options_.seconds + 10) * 1000};
  // The store stops at the block in which the limit is passed; one more row tells that there are more.
  query.settings.insert({{"max_result_rows", std::to_string(limits.rows + 1)},
                         {"max_result_bytes", kMostResultBytes},
                         {"result_overflow_mode", "break"},
                         {"wait_end_of_query", "1"},  // So that an error is told instead of rows, not after them.
                         {"output_format_json_quote_64bit_integers", "1"},
                         {"output_format_json_quote_decimals", "1"},
                         {"output_format_json_quote_denormals", "1"},
                         {"output_format_json_validate_utf8", "1"}});
  std::string lines, format;
  const auto done = options_.reader->stream(asked.sql, query,
                                            {.begin =
                                                 [&](const http::Headers& fields) {
                                                   format = fields.get("X-ClickHouse-Format");
                                                   return format.empty() || format == kRowFormat;
                                                 },
                                             .add =
                                                 [&](std::string_view piece) {
                                                   lines.append(piece);
                                                   return true;
                                                 }});
  if (!format.empty() && format != kRowFormat)
    return responder.send(error_answer(
        422, "sql: leave FORMAT out: the answer is rows, or a file in the format that `format` asks for", "sql"));
  if (!done) return responder.send(refusal(asked, done.error()));
  const SqlCost cost = sql_cost(done->get("X-ClickHouse-Summary"));
  auto body = sql_answer_json(lines, limits, cost);
  logging::info(
      "sql.answered",
      {{"actor", asked.actor}, {"query_id", asked.query_id}, {"seconds", cost.seconds}, {"rows_read", cost.rows_read}});
  responder.send(body ? json_text_answer(200, std::move(*body)) : error_answer(body.error()));
}

void SqlAnswers::send_file(const Asked& asked, http::Responder& responder) {
  const bool is_csv = asked.form == Form::csv;
  const std::string format = is_csv ? "CSVWithNames" : "Parquet";
  const clickhouse::QueryOptions query{.settings = bounds_of(2 * options_.seconds),
                                       .query_id = asked.query_id,
                                       .format = format,
                                       .timeout_ms = 0};  // Whoever takes it may be slow.
  http::Response head;
  head.headers.add("Content-Type",
                   is_csv ? "text/csv; charset=utf-8; header=present" : "application/vnd.apache.parquet");
  head.headers.add("Content-Disposition", fmt::format("attachment; filename=\"query.{}\"", is_csv ? "csv" : "parquet"));
  head.headers.add("Cache-Control", "no-store");
  head.headers.add("X-Content-Type-Options", "nosniff");
  std::shared_ptr<http::Stream> stream;
  bool is_other_format = false;
  const auto done =
      options_.reader->stream(asked.sql, query,
                              {.begin =
                                   [&](const http::Headers& fields) {
                                     const auto given = fields.get("X-ClickHouse-Format");
                                     is_other_format = !given.empty() && given != format;
                                     if (!is_other_format) stream = responder.stream(head);
                                     return !is_other_format;
                                   },
                               .add = [&](std::string_view piece) { return stream->write(std::string(piece)); }});
  logging::info(
      "sql.exported",
      {{"actor", asked.actor}, {"query_id", asked.query_id}, {"format", format}, {"is_whole", done.has_value()}});
  if (stream) return stream->close(/*clean=*/done.has_value());
  if (is_other_format)
    return responder.send(error_answer(422, "sql: leave FORMAT out: `format` says in which format the file is", "sql"));
  responder.send(refusal(asked, done.error()));
}

http::Response SqlAnswers::refusal(const Asked& asked, const clickhouse::QueryFailure& failed) const {
  const std::string& said = failed.error.message;
  if (failed.code == 0 || is_full(failed.code)) return error_answer(Error::retry(said));
  if (is_about_the_reader(failed.code))
    return error_answer(500, fmt::format("the store refuses its reader (store.reader_user): {}", sql_message(said)));
  Json error = {{"status", 422}, {"message", sql_message(said)}, {"field", "sql"}, {"code", failed.code}};
  if (const auto place = sql_place(said, asked.sql))
    error["position"] = {{"offset", place->offset}, {"line", place->line}, {"column", place->column}};
  return json_answer(422, {{"error", std::move(error)}});
}

http::Response SqlAnswers::schema() const {
  if (options_.reader == nullptr) return no_reader();
  const clickhouse::QueryOptions query{.settings = bounds_of(options_.seconds)};
  const auto columns = options_.reader->table(
      "SELECT table, name, type, comment FROM system.columns WHERE database = 'marquee' ORDER BY table, position", {},
      query);
  if (!columns) return error_answer(columns.error());
  const auto functions = options_.reader->table("SELECT DISTINCT name FROM system.functions ORDER BY name", {}, query);
  if (!functions) return error_answer(functions.error());
  Json tables = Json::array();
  for (const auto& row : columns->rows) {
    const auto& known = options_.tables;
    if (!known.empty() && std::ranges::find(known, row.at(0)) == known.end()) continue;
    if (tables.empty() || tables.back()["name"] != row.at(0))
      tables.push_back({{"name", row.at(0)}, {"columns", Json::array()}});
    tables.back()["columns"].push_back({{"name", row.at(1)}, {"type", row.at(2)}, {"comment", row.at(3)}});
  }
  return json_answer(200,
                     {{"database", "marquee"}, {"tables", std::move(tables)}, {"functions", text_list(*functions)}});
}

Result<void> SqlAnswers::check(const std::string& sql) const {
  if (options_.reader == nullptr) return Error::reject(kSqlRefusal);
  if (sql.empty() || sql.size() > kMostSqlBytes) return Error::reject("parameters.sql: expected 1 to 100000 bytes");
  const std::string explained = "EXPLAIN AST\n" + sql;  // On lines of its own, so that those of an error are its own.
  const auto parsed =
      options_.reader->query(explained, {}, {.settings = bounds_of(options_.seconds), .format = "TSVRaw"});
  if (parsed) return {};
  const auto& error = parsed.error();
  if (error.action == Action::retry) return error;
  if (const auto place = sql_place(error.message, explained))
    return Error::reject(fmt::format("parameters.sql: the store cannot read it from line {}, column {} on",
                                     place->line - 1, place->column));
  return Error::reject("parameters.sql: " + sql_message(error.message));
}

}  // namespace marquee::api
