#include "answer_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <random>
#include <utility>

#include "marquee/base/json_text.h"
#include "native_blocks.h"

namespace marquee::engine {
namespace {

// An answer is sent whole, with its length and its summary, while it is smaller than this and comes fast enough; else
// in pieces. Rows that come one by one are for who waits for them.
constexpr std::size_t kHeld = std::size_t{1} << 20;
constexpr std::chrono::milliseconds kHeldFor{300};
constexpr std::size_t kMostHeld = std::size_t{64} << 20;  ///< However much the client asks for.
// As StoreServer's connections live, less what an answer may be on its way.
constexpr const char* kKeepAlive = "timeout=590";

/// The engine takes formats' names in any case.
bool is_native(std::string_view format) {
  return std::ranges::equal(format, std::string_view("native"), {}, [](char c) { return static_cast<char>(c | 0x20); });
}

/// Not to be guessed by whoever wrote the data.
std::string random_tag() {
  thread_local std::mt19937_64 random{std::random_device{}()};
  std::string tag(16, 'a');
  for (char& letter : tag) letter = static_cast<char>('a' + random() % 26);
  return tag;
}

}  // namespace

std::string_view content_type(std::string_view format) {
  if (format.starts_with("JSONEachRow") || format.starts_with("JSONCompactEachRow"))
    return "application/x-ndjson; charset=UTF-8";
  if (format.starts_with("JSON")) return "application/json; charset=UTF-8";
  if (format.starts_with("TabSeparated") || format.starts_with("TSV"))
    return "text/tab-separated-values; charset=UTF-8";
  if (format == "CSV") return "text/csv; charset=UTF-8; header=absent";
  if (format.starts_with("CSV")) return "text/csv; charset=UTF-8; header=present";
  if (format == "XML") return "application/xml; charset=UTF-8";
  if (format == "Native" || format.starts_with("RowBinary") || format == "Parquet" || format.starts_with("Arrow") ||
      format == "ORC" || format == "Avro" || format == "MsgPack") {
    return "application/octet-stream";
  }
  return "text/plain; charset=UTF-8";
}

std::optional<std::string> exception_in_format(std::string_view format, const std::string& message) {
  static constexpr std::array kLines = {std::string_view("JSONEachRow"), std::string_view("JSONLines"),
                                        std::string_view("NDJSON"), std::string_view("JSONStringsEachRow"),
                                        std::string_view("JSONEachRowWithProgress")};
  static constexpr std::array kDocuments = {std::string_view("JSON"), std::string_view("JSONCompact"),
                                            std::string_view("JSONStrings"), std::string_view("JSONCompactStrings"),
                                            std::string_view("JSONColumnsWithMetadata")};
  std::string text;
  append_json_string(text, message);
  if (std::ranges::find(kLines, format) != kLines.end()) return fmt::format("{{\"exception\": {}}}\n", text);
  if (std::ranges::find(kDocuments, format) == kDocuments.end()) return std::nullopt;
  return fmt::format("{{\n\t\"exception\": {}\n}}\n", text);
}

std::string summary(const Progress& progress) {
  // An insert gives no rows; ClickHouse tells those it wrote.
  const bool wrote = progress.result_rows == 0 && progress.written_rows > 0;
  return fmt::format(
      R"({{"read_rows":"{}","read_bytes":"{}","written_rows":"{}","written_bytes":"{}","total_rows_to_read":"{}","result_rows":"{}","result_bytes":"{}","elapsed_ns":"{}","memory_usage":"{}","real_time_microseconds":"{}"}})",
      progress.read_rows, progress.read_bytes, progress.written_rows, progress.written_bytes,
      std::max(progress.total_rows_to_read, progress.read_rows), wrote ? progress.written_rows : progress.result_rows,
      wrote ? progress.written_bytes : progress.result_bytes, progress.elapsed_ns, progress.memory_usage,
      progress.real_time_microseconds);
}

AnswerWriter::AnswerWriter(http::Responder responder, const Identity& identity)
    : responder_(std::move(responder)), identity_(identity), tag_(random_tag()) {}

void AnswerWriter::describe(const StoreRequest& request, std::string_view format, std::string_view query_id,
                            std::function<std::vector<std::string>()> types) {
  const std::scoped_lock lock(*mutex_);
  format_ = format;
  query_id_ = query_id;
  ask_types_ = std::move(types);
  encoding_ = request.accepted_encoding;
  coder_ = make_stream_coder(encoding_);
  blocks_ = request.wants_blocks ? std::optional(request.block_method) : std::nullopt;
  protocol_version_ = is_native(format) ? request.protocol_version : 0;
  wait_for_end_ = request.wait_end_of_query;
  buffer_size_ = request.buffer_size;
  progress_interval_ = request.progress_interval;
  adds_cors_ = request.adds_cors_header;
  sends_each_block_ = request.sends_each_block;
  writes_exception_in_format_ = request.writes_exception_in_format;
}

void AnswerWriter::has_no_rows() {
  const std::scoped_lock lock(*mutex_);
  gives_rows_ = false;
}

/// Those that are known before the answer is.
void AnswerWriter::add_first_fields(http::Response& response) const {
  response.headers.add("Content-Type", std::string(gives_rows_ ? content_type(format_) : content_type("")));
  response.headers.add("X-ClickHouse-Server-Display-Name", identity_.display_name);
  response.headers.add("X-ClickHouse-Timezone", identity_.timezone);
  if (gives_rows_) response.headers.add("X-ClickHouse-Format", format_);
  if (!query_id_.empty()) response.headers.add("X-ClickHouse-Query-Id", query_id_);
  response.headers.add("X-ClickHouse-Exception-Tag", tag_);
  if (adds_cors_) response.headers.add("Access-Control-Allow-Origin", "*");
  response.headers.add("Keep-Alive", kKeepAlive);
}

void AnswerWriter::tell(const Progress& progress) {
  const std::unique_lock lock(*mutex_, std::try_to_lock);
  if (!lock.owns_lock() || stream_ != nullptr) return;
  seen_ = progress;
  if (!progress_interval_) return;
  if (!responder_.has_begun()) {
    http::Response first;
    add_first_fields(first);
    responder_.begin(first);
    if (!responder_.has_begun()) return;
  }
  http::Headers field;
  field.add("X-ClickHouse-Progress", summary(progress));
  responder_.add_fields(field);
  told_ = std::chrono::steady_clock::now();
}

/// With what only a look at the running statement tells.
Progress AnswerWriter::completed(Progress progress) const {
  progress.total_rows_to_read = std::max(progress.total_rows_to_read, seen_.total_rows_to_read);
  progress.memory_usage = seen_.memory_usage;
  progress.real_time_microseconds = std::max(seen_.real_time_microseconds, progress.elapsed_ns / 1000);
  return progress;
}

/// What a statement did since it was last looked at.
void AnswerWriter::add_last_progress(http::Response& response, const Progress& progress) const {
  if (!progress_interval_ || std::chrono::steady_clock::now() - told_ < *progress_interval_) return;
  if (progress.read_rows + progress.written_rows + progress.result_rows == 0) return;
  response.headers.add("X-ClickHouse-Progress", summary(progress));
}

http::Response AnswerWriter::head(const Progress& progress) const {
  http::Response response;
  if (!responder_.has_begun()) add_first_fields(response);
  add_last_progress(response, progress);
  response.headers.add("X-ClickHouse-Summary", summary(progress));
  if (!encoding_.empty()) response.headers.add("Content-Encoding", encoding_);
  return response;
}

/// In the format as the client's protocol has it.
Answer<std::string> AnswerWriter::framed(std::string piece) {
  if (protocol_version_ == 0) return piece;
  return native_for_protocol(piece, protocol_version_, [this]() -> const std::vector<std::string>& {
    if (!types_) types_ = ask_types_ ? ask_types_() : std::vector<std::string>();
    return *types_;
  });
}

// Members of gzip, and frames of zstd and lz4, may follow each other: each piece is compressed for itself. Others are
// one stream.
Answer<std::string> AnswerWriter::encoded(std::string piece, bool last) {
  if (blocks_) {
    auto packed = encode_blocks(piece, *blocks_);
    if (!packed) return packed;
    piece = std::move(*packed);
  }
  if (encoding_.empty()) return piece;
  if (coder_ != nullptr) return coder_->add(piece, last);
  if (encoding_ == "lz4") return encode_lz4_frame(piece);
  auto done = http::encode_body(piece, encoding_);
  if (!done) return std::unexpected(failure(kUnknown, "CANNOT_COMPRESS", done.error().message));
  return std::move(*done);
}

bool AnswerWriter::send(std::string piece, bool last) {
  if (stream_ == nullptr) stream_ = responder_.stream(head(seen_));
  if (piece.empty() && (!last || coder_ == nullptr)) return true;
  auto packed = encoded(std::move(piece), last);
  return packed && stream_->write(std::move(*packed));
}

bool AnswerWriter::send_held(bool last) {
  auto piece = framed(std::exchange(held_, {}));
  if (piece) return send(std::move(*piece), last);
  cannot_send_ = piece.error();
  return false;
}

bool AnswerWriter::write(std::string piece) {
  const std::scoped_lock lock(*mutex_);
  if (held_.empty()) {
    held_ = std::move(piece);
    held_since_ = std::chrono::steady_clock::now();
  } else {
    held_ += piece;
  }
  return !must_send() || send_held(false);
}

bool AnswerWriter::must_send() const {
  if (wait_for_end_) return false;
  if (buffer_size_ && stream_ == nullptr) return held_.size() >= std::min(*buffer_size_, kMostHeld);
  if (sends_each_block_) return true;
  return held_.size() >= kHeld || std::chrono::steady_clock::now() - held_since_ >= kHeldFor;
}

void AnswerWriter::finish(const Progress& progress) {
  if (stream_ != nullptr) {
    const bool sent = send_held(true);
    if (cannot_send_) {
      fail(*cannot_send_);
    } else {
      stream_->close(sent);
    }
    return;
  }
  auto piece = framed(std::exchange(held_, {}));
  auto body = piece ? encoded(std::move(*piece), true) : std::move(piece);
  if (!body) {
    fail(body.error());
    return;
  }
  const Progress whole = completed(progress);
  http::Response response = head(whole);
  response.body = std::move(*body);
  responder_.send(std::move(response));
}

void AnswerWriter::fail(const Failure& failed) {
  const Failure& reason = cannot_send_ ? *cannot_send_ : failed;
  if (stream_ != nullptr) {
    fail_midway(reason);
  } else {
    fail_whole(reason);
  }
}

void AnswerWriter::fail_midway(const Failure& failed) {
  if (!cannot_send_) static_cast<void>(send_held(false));
  const auto in_format = writes_exception_in_format_ ? exception_in_format(format_, failed.message) : std::nullopt;
  if (in_format) {
    static_cast<void>(send(*in_format, true));
    stream_->close(true);
    return;
  }
  const std::string text = failed.message + '\n';
  static_cast<void>(send(
      fmt::format("\r\n__exception__\r\n{}\r\n{}{} {}\r\n__exception__\r\n", tag_, text, text.size(), tag_), true));
  stream_->close(false);
}

void AnswerWriter::fail_whole(const Failure& failed) {
  encoding_.clear();
  http::Response response = head({});
  response.status = http_status(failed.code);
  if (!responder_.has_begun()) response.headers.set("Content-Type", "text/plain; charset=UTF-8");
  response.headers.add("X-ClickHouse-Exception-Code", std::to_string(failed.code));
  if (response.status == 401) response.headers.add("WWW-Authenticate", "Basic realm=\"Marquee\"");
  if (response.status == 503) response.headers.add("Retry-After", "1");
  response.body = failed.message + '\n';
  if (!writes_exception_in_format_) {
    responder_.send(std::move(response));
    return;
  }
  if (auto body = exception_in_format(format_, failed.message); body) {
    response.body = std::move(*body);
    if (!responder_.has_begun()) response.headers.set("Content-Type", std::string(content_type(format_)));
  }
  responder_.send(std::move(response));
}

}  // namespace marquee::engine
