#include "marquee/clickhouse/client.h"

#include <fmt/format.h>
#include <lz4frame.h>

#include <atomic>
#include <charconv>
#include <random>
#include <utility>

#include "error_code.h"

namespace marquee::clickhouse {
namespace {

constexpr std::size_t kMaxErrorText = 4'000;

/// ClickHouse's HTTP interface takes LZ4 frames as Content-Encoding: lz4.
Result<std::string> lz4_frame(std::string_view data) {
  LZ4F_preferences_t preferences{};
  preferences.frameInfo.blockSizeID = LZ4F_max1MB;
  preferences.frameInfo.contentSize = data.size();
  std::string out;
  out.resize(LZ4F_compressFrameBound(data.size(), &preferences));
  const std::size_t size = LZ4F_compressFrame(out.data(), out.size(), data.data(), data.size(), &preferences);
  if (LZ4F_isError(size) != 0) return Error::give_up(fmt::format("lz4: {}", LZ4F_getErrorName(size)));
  out.resize(size);
  return out;
}

std::string trimmed(std::string_view text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' ')) text.remove_suffix(1);
  if (text.size() > kMaxErrorText) return std::string(text.substr(0, kMaxErrorText)) + " ...";
  return std::string(text);
}

char unescaped(char letter) {
  switch (letter) {
    case 'b':
      return '\b';
    case 'f':
      return '\f';
    case 'r':
      return '\r';
    case 'n':
      return '\n';
    case 't':
      return '\t';
    case '0':
      return '\0';
    case 'a':
      return '\a';
    case 'v':
      return '\v';
    default:
      return letter;  // A backslash, a quote, or a letter that needed no escape.
  }
}

/// One cell of TabSeparated, unescaped; NULL stays "\N".
std::string unescape_cell(std::string_view cell) {
  if (cell == "\\N" || cell.find('\\') == std::string_view::npos) return std::string(cell);
  std::string out;
  out.reserve(cell.size());
  for (std::size_t i = 0; i < cell.size(); ++i) {
    if (cell[i] != '\\' || i + 1 == cell.size()) {
      out.push_back(cell[i]);
    } else {
      out.push_back(unescaped(cell[++i]));
    }
  }
  return out;
}

std::vector<std::string> split_row(std::string_view line) {
  std::vector<std::string> cells;
  for (;;) {
    const std::size_t tab = line.find('\t');
    cells.push_back(unescape_cell(line.substr(0, tab)));
    if (tab == std::string_view::npos) return cells;
    line.remove_prefix(tab + 1);
  }
}

}  // namespace

int error_code(const http::Response& response) {
  std::string_view text = response.headers.get("X-ClickHouse-Exception-Code");
  if (text.empty()) {
    constexpr std::string_view kBegin = "Code: ";
    if (!response.body.starts_with(kBegin)) return 0;
    text = std::string_view(response.body).substr(kBegin.size());
  }
  int code = 0;
  std::from_chars(text.data(), text.data() + text.size(), code);
  return code;
}

std::string escape_parameter(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char letter : text) {
    switch (letter) {
      case '\\':
        out += "\\\\";
        break;
      case '\t':
        out += "\\t";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\0':
        out += "\\0";
        break;
      default:
        out.push_back(letter);
    }
  }
  return out;
}

Result<Table> parse_table(std::string_view body) {
  Table table;
  unsigned line_number = 0;
  while (!body.empty()) {
    const std::size_t end = body.find('\n');
    if (end == std::string_view::npos) return Error::retry("the store's answer ends in the middle of a row");
    auto cells = split_row(body.substr(0, end));
    body.remove_prefix(end + 1);
    if (line_number == 0) {
      table.columns = std::move(cells);
    } else {
      if (cells.size() != table.columns.size()) {
        return Error::retry(fmt::format("row {} of the store's answer has {} cells where {} columns were named",
                                        line_number - 1, cells.size(), table.columns.size()));
      }
      if (line_number == 1) {
        table.types = std::move(cells);
      } else {
        table.rows.push_back(std::move(cells));
      }
    }
    ++line_number;
  }
  return table;
}

class Client::Impl {
 public:
  Impl(Endpoint endpoint, http::ClientOptions options) : endpoint_(std::move(endpoint)) {
    urls_.push_back(endpoint_.url);
    urls_.insert(urls_.end(), endpoint_.other_replicas.begin(), endpoint_.other_replicas.end());
    for (const std::string& url : urls_) https_.push_back(std::make_unique<http::Client>(url, options));
  }

  [[nodiscard]] const Endpoint& endpoint() const { return endpoint_; }
  [[nodiscard]] std::size_t replicas() const { return urls_.size(); }
  [[nodiscard]] std::size_t replica() const { return current_; }

  struct Unanswered {
    bool is_sent = true;  ///< False only where surely no replica has it.
    Error error;
  };
  std::expected<http::Response, Unanswered> send(const std::string& target, const http::Headers& headers,
                                                 std::string_view body, const QueryOptions& options) {
    std::string why;
    for (std::size_t tries = 0; tries < urls_.size(); ++tries) {
      std::size_t at = options.replica.value_or(current_);
      auto answer = https_.at(at)->send("POST", target, headers, body, options.timeout_ms);
      if (answer) return std::move(*answer);
      why += fmt::format("{}the store at {} did not answer: {}", why.empty() ? "" : "; ", urls_[at],
                         answer.error().message);
      const bool is_sent = answer.error().delivery != http::Delivery::not_sent;
      if (!options.replica) current_.compare_exchange_strong(at, (at + 1) % urls_.size());
      if (is_sent || options.replica) return std::unexpected(Unanswered{is_sent, Error::retry(std::move(why))});
    }
    return std::unexpected(Unanswered{false, Error::retry(std::move(why))});
  }
  std::expected<http::Response, http::Failure> stream(const std::string& target, std::string_view sql,
                                                      const QueryOptions& options,
                                                      const std::function<bool(std::string_view)>& on_data,
                                                      const std::function<bool(const http::Response&)>& on_head) {
    for (std::size_t tries = 1;; ++tries) {
      std::size_t at = options.replica.value_or(current_);
      auto answer = https_.at(at)->send_streaming("POST", target, headers(), sql, on_data, options.timeout_ms, on_head);
      const bool is_unsent = !answer && answer.error().delivery == http::Delivery::not_sent && !options.replica;
      if (is_unsent) current_.compare_exchange_strong(at, (at + 1) % urls_.size());
      if (!is_unsent || tries == urls_.size()) return answer;
    }
  }
  [[nodiscard]] bool ping() {
    const auto answer = https_[current_]->send("GET", "/ping", headers(), {}, 2'000);
    if (answer && answer->status == 200) return true;
    current_ = (current_ + 1) % urls_.size();
    return false;
  }

  [[nodiscard]] http::Headers headers() const {
    http::Headers headers;
    headers.add("X-ClickHouse-User", endpoint_.user);
    if (!endpoint_.password.empty()) headers.add("X-ClickHouse-Key", endpoint_.password);
    return headers;
  }

  [[nodiscard]] std::string target(const Parameters& parameters, const QueryOptions& options) const {
    std::string out = "/?";
    const auto add = [&out](std::string_view name, std::string_view value) {
      if (out.size() > 2) out.push_back('&');
      out += http::percent_encode(name);
      out.push_back('=');
      out += http::percent_encode(value);
    };
    if (!options.settings.contains("database") && !endpoint_.database.empty()) add("database", endpoint_.database);
    if (!options.query_id.empty()) add("query_id", options.query_id);
    if (!options.format.empty()) add("default_format", options.format);
    for (const auto& [name, value] : options.settings) add(name, value);
    for (const auto& [name, value] : endpoint_.settings)
      if (!options.settings.contains(name)) add(name, value);
    for (const auto& [name, value] : parameters) add("param_" + name, value);
    return out;
  }

  [[nodiscard]] Error refused(const http::Response& response) const {
    const int code = error_code(response);
    const bool busy = code == 0 && (response.status < 300 || response.status == 429 || response.status >= 500);
    std::string text = trimmed(response.body);
    if (text.empty()) text = fmt::format("the store at {} answered {}", endpoint_.url, response.status);
    return busy || may_pass(code) ? Error::retry(std::move(text)) : Error::reject(std::move(text));
  }

 private:
  Endpoint endpoint_;
  std::vector<std::string> urls_;  ///< Of the replicas, as the next.
  std::vector<std::unique_ptr<http::Client>> https_;
  std::atomic<std::size_t> current_{0};
};

namespace {
bool is_error(const http::Response& response) {
  return response.status != 200 || response.headers.has("X-ClickHouse-Exception-Code");
}

/// What stands nowhere in the data (RFC 2046, section 5.1.1).
std::string boundary_for(std::string_view data) {
  std::string boundary = "marquee";
  while (data.find(boundary) != std::string_view::npos) boundary = fmt::format("marquee{:x}", std::random_device()());
  return boundary;
}

/// Whoever stands between may answer in the store's place.
bool is_the_stores_own(const http::Response& response) {
  return response.headers.has("X-ClickHouse-Summary") || response.headers.has("X-ClickHouse-Query-Id");
}
}  // namespace

Client::Client(Endpoint endpoint, http::ClientOptions options)
    : impl_(std::make_unique<Impl>(std::move(endpoint), options)) {}
Client::~Client() = default;

const Endpoint& Client::endpoint() const { return impl_->endpoint(); }

Result<std::string> Client::query(std::string_view sql, const Parameters& parameters, const QueryOptions& options) {
  auto answer = impl_->send(impl_->target(parameters, options), impl_->headers(), sql, options);
  if (!answer) return answer.error().error;
  if (is_error(*answer)) return impl_->refused(*answer);
  return std::move(answer->body);
}

std::expected<http::Headers, QueryFailure> Client::stream(std::string_view sql, const QueryOptions& options,
                                                          const AnswerSink& sink) {
  http::Response refusal;
  bool is_refused = false, is_cancelled = false, has_begun = false;
  const auto begin = [&](const http::Response& head) {
    is_refused = is_error(head);
    if (is_refused) {
      refusal = head;
      return true;
    }
    is_cancelled = !sink.begin(head.headers);
    return !is_cancelled;
  };
  const auto add = [&](std::string_view piece) {
    if (is_refused) {
      if (refusal.body.size() < kMaxErrorText) refusal.body.append(piece);
      return true;
    }
    has_begun = true;
    is_cancelled = !sink.add(piece);
    return !is_cancelled;
  };
  auto answer = impl_->stream(impl_->target({}, options), sql, options, add, begin);
  if (is_refused) return std::unexpected(QueryFailure{impl_->refused(refusal), error_code(refusal), false});
  if (is_cancelled) return std::unexpected(QueryFailure{Error::retry("cancelled"), 0, has_begun});
  if (!answer) {
    auto why = fmt::format("the store at {} did not answer: {}", impl_->endpoint().url, answer.error().message);
    return std::unexpected(QueryFailure{Error::retry(std::move(why)), 0, has_begun});
  }
  return std::move(answer->headers);
}

Result<std::string> Client::query_with(std::string_view sql, const ExternalTable& rows, const QueryOptions& options) {
  QueryOptions with_table = options;
  // Beside a form, default_format would be the format of a table named default.
  with_table.settings["query"] = fmt::format("{} FORMAT {}", sql, options.format);
  with_table.format.clear();
  with_table.settings[rows.name + "_structure"] = rows.structure;
  with_table.settings[rows.name + "_format"] = rows.format;
  const std::string boundary = boundary_for(rows.data);
  auto headers = impl_->headers();
  headers.add("Content-Type", "multipart/form-data; boundary=" + boundary);
  const auto body =
      fmt::format("--{0}\r\nContent-Disposition: form-data; name=\"{1}\"; filename=\"{1}\"\r\n\r\n{2}\r\n--{0}--\r\n",
                  boundary, rows.name, rows.data);
  auto answer = impl_->send(impl_->target({}, with_table), headers, body, options);
  if (!answer) return answer.error().error;
  if (is_error(*answer)) return impl_->refused(*answer);
  return std::move(answer->body);
}

Result<Table> Client::table(std::string_view sql, const Parameters& parameters, QueryOptions options) {
  options.format = "TabSeparatedWithNamesAndTypes";
  auto body = query(sql, parameters, options);
  if (!body) return body.error();
  return parse_table(*body);
}

Result<void> Client::execute(std::string_view sql, const Parameters& parameters, QueryOptions options) {
  auto body = query(sql, parameters, options);
  if (!body) return body.error();
  return {};
}

std::expected<void, InsertFailure> Client::insert(std::string_view statement, std::string_view format,
                                                  std::string_view data, const QueryOptions& options) {
  auto body = lz4_frame(data);
  if (!body) return std::unexpected(InsertFailure{false, body.error(), 0});
  QueryOptions insert_options = options;
  insert_options.format.clear();
  insert_options.timeout_ms = 0;
  insert_options.settings["query"] = fmt::format("{} FORMAT {}", statement, format);
  auto headers = impl_->headers();
  headers.add("Content-Encoding", "lz4");
  auto answer = impl_->send(impl_->target({}, insert_options), headers, *body, insert_options);
  if (!answer) return std::unexpected(InsertFailure{answer.error().is_sent, answer.error().error, 0});
  if (!is_error(*answer)) {
    if (is_the_stores_own(*answer)) return {};
    return std::unexpected(InsertFailure{
        true, Error::retry("an insert was answered with 200, but not by ClickHouse: its headers are missing"), 0});
  }
  const int code = error_code(*answer);
  // Without a code the answer is not the engine's. With 4xx the request was refused before the engine saw it; with 5xx
  // it may come from a gateway that lost its backend after it had sent it on (some say 503 then).
  const bool never_began = code == 0 ? answer->status >= 300 && answer->status < 500 : precedes_writing(code);
  return std::unexpected(InsertFailure{!never_began, impl_->refused(*answer), code});
}

bool Client::ping() { return impl_->ping(); }
std::size_t Client::replicas() const { return impl_->replicas(); }
std::size_t Client::replica() const { return impl_->replica(); }

}  // namespace marquee::clickhouse
