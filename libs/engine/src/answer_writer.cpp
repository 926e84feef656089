#include "answer_writer.h"

#include <fmt/format.h>

#include <utility>

namespace marquee::engine {
namespace {

// Below this an answer is sent whole, with its length and its summary; above, in chunks of about this size.
constexpr std::size_t kHeld = std::size_t{1} << 20;

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
    : responder_(std::move(responder)), identity_(identity) {}

void AnswerWriter::describe(const StoreRequest& request, std::string_view format, std::string_view query_id) {
  format_ = format;
  query_id_ = query_id;
  encoding_ = request.accepted_encoding;
  wait_for_end_ = request.wait_end_of_query;
}

http::Response AnswerWriter::head(const Progress& progress) const {
  http::Response response;
  response.headers.add("Content-Type", std::string(content_type(format_)));
  response.headers.add("X-ClickHouse-Server-Display-Name", identity_.display_name);
  response.headers.add("X-ClickHouse-Timezone", identity_.timezone);
  response.headers.add("X-ClickHouse-Format", format_);
  if (!query_id_.empty()) response.headers.add("X-ClickHouse-Query-Id", query_id_);
  response.headers.add("X-ClickHouse-Summary", summary(progress));
  if (!encoding_.empty()) response.headers.add("Content-Encoding", encoding_);
  return response;
}

// Members of gzip, and frames of zstd and lz4, may follow each other: each piece is compressed for itself.
Answer<std::string> AnswerWriter::encoded(std::string piece) const {
  if (encoding_.empty()) return piece;
  if (encoding_ == "lz4") return encode_lz4_frame(piece);
  auto done = http::encode_body(piece, encoding_);
  if (!done) return std::unexpected(failure(kUnknown, "CANNOT_COMPRESS", done.error().message));
  return std::move(*done);
}

bool AnswerWriter::send_held() {
  if (stream_ == nullptr) stream_ = responder_.stream(head({}));
  if (held_.empty()) return true;
  auto piece = encoded(std::exchange(held_, {}));
  return piece && stream_->write(std::move(*piece));
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
    stream_->close(send_held());
    return;
  }
  http::Response response = head(progress);
  auto body = encoded(std::exchange(held_, {}));
  if (!body) {
    fail(body.error());
    return;
  }
  response.body = std::move(*body);
  responder_.send(std::move(response));
}

void AnswerWriter::fail(const Failure& failed) {
  if (stream_ != nullptr) {
    held_ += '\n' + failed.message + '\n';
    send_held();
    stream_->close(false);
    return;
  }
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
