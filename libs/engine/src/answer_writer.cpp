#include "answer_writer.h"

#include <fmt/format.h>

#include <random>
#include <utility>

#include "native_blocks.h"

namespace marquee::engine {
namespace {

// Below this an answer is sent whole, with its length and its summary; above, in chunks of about this size.
constexpr std::size_t kHeld = std::size_t{1} << 20;

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

std::string summary(const Progress& progress) {
  return fmt::format(
      R"({{"read_rows":"{}","read_bytes":"{}","written_rows":"{}","written_bytes":"{}","total_rows_to_read":"0","result_rows":"{}","result_bytes":"{}"}})",
      progress.read_rows, progress.read_bytes, progress.written_rows, progress.written_bytes, progress.written_rows,
      progress.written_bytes);
}

AnswerWriter::AnswerWriter(http::Responder responder, const Identity& identity)
    : responder_(std::move(responder)), identity_(identity), tag_(random_tag()) {}

void AnswerWriter::describe(const StoreRequest& request, std::string_view format, std::string_view query_id) {
  format_ = format;
  query_id_ = query_id;
  encoding_ = request.accepted_encoding;
  blocks_ = request.wants_blocks ? std::optional(request.block_method) : std::nullopt;
  protocol_version_ = format == "Native" ? request.protocol_version : 0;
  wait_for_end_ = request.wait_end_of_query;
}

http::Response AnswerWriter::head(const Progress& progress) const {
  http::Response response;
  response.headers.add("Content-Type", std::string(content_type(format_)));
  response.headers.add("X-ClickHouse-Server-Display-Name", identity_.display_name);
  response.headers.add("X-ClickHouse-Timezone", identity_.timezone);
  response.headers.add("X-ClickHouse-Format", format_);
  if (!query_id_.empty()) response.headers.add("X-ClickHouse-Query-Id", query_id_);
  response.headers.add("X-ClickHouse-Exception-Tag", tag_);
  response.headers.add("X-ClickHouse-Summary", summary(progress));
  if (!encoding_.empty()) response.headers.add("Content-Encoding", encoding_);
  return response;
}

/// In the format as the client's protocol has it.
Answer<std::string> AnswerWriter::framed(std::string piece) const {
  return protocol_version_ == 0 ? Answer<std::string>(std::move(piece)) : native_for_protocol(piece, protocol_version_);
}

// Members of gzip, and frames of zstd and lz4, may follow each other: each piece is compressed for itself.
Answer<std::string> AnswerWriter::encoded(std::string piece) const {
  if (blocks_) {
    auto packed = encode_blocks(piece, *blocks_);
    if (!packed) return packed;
    piece = std::move(*packed);
  }
  if (encoding_.empty()) return piece;
  if (encoding_ == "lz4") return encode_lz4_frame(piece);
  auto done = http::encode_body(piece, encoding_);
  if (!done) return std::unexpected(failure(kUnknown, "CANNOT_COMPRESS", done.error().message));
  return std::move(*done);
}

bool AnswerWriter::send(std::string piece) {
  if (stream_ == nullptr) stream_ = responder_.stream(head({}));
  if (piece.empty()) return true;
  auto packed = encoded(std::move(piece));
  return packed && stream_->write(std::move(*packed));
}

bool AnswerWriter::send_held() {
  auto piece = framed(std::exchange(held_, {}));
  if (piece) return send(std::move(*piece));
  cannot_send_ = piece.error();
  return false;
}

bool AnswerWriter::write(std::string piece) {
  if (held_.empty()) {
    held_ = std::move(piece);
  } else {
    held_ += piece;
  }
  if (wait_for_end_ || held_.size() < kHeld) return true;
  return send_held();
}

void AnswerWriter::finish(const Progress& progress) {
  if (stream_ != nullptr) {
    const bool sent = send_held();
    if (cannot_send_) {
      fail(*cannot_send_);
    } else {
      stream_->close(sent);
    }
    return;
  }
  auto piece = framed(std::exchange(held_, {}));
  auto body = piece ? encoded(std::move(*piece)) : std::move(piece);
  if (!body) {
    fail(body.error());
    return;
  }
  http::Response response = head(progress);
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
  if (!cannot_send_) static_cast<void>(send_held());
  const std::string text = failed.message + '\n';
  static_cast<void>(
      send(fmt::format("\r\n__exception__\r\n{}\r\n{}{} {}\r\n__exception__\r\n", tag_, text, text.size(), tag_)));
  stream_->close(false);
}

void AnswerWriter::fail_whole(const Failure& failed) {
  encoding_.clear();
  http::Response response = head({});
  response.status = http_status(failed.code);
  response.headers.set("Content-Type", "text/plain; charset=UTF-8");
  response.headers.add("X-ClickHouse-Exception-Code", std::to_string(failed.code));
  if (response.status == 401) response.headers.add("WWW-Authenticate", "Basic realm=\"Marquee\"");
  if (response.status == 503) response.headers.add("Retry-After", "1");
  response.body = failed.message + '\n';
  responder_.send(std::move(response));
}

}  // namespace marquee::engine
