// Content codings (RFC 9110, section 8.4.1; zstd: RFC 8878).
#include <fmt/format.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <limits>
#include <memory>

#include "marquee/http/message.h"

namespace marquee::http {
namespace {

constexpr std::size_t kInflatedPiece = 64 * 1024;
constexpr int kGzipOrZlib = 15 + 32;
constexpr int kGzip = 15 + 16;
constexpr int kRawDeflate = -15;
constexpr std::size_t kZlibMost = std::numeric_limits<uInt>::max();

Error too_large(std::size_t max_bytes) {
  return Error::reject(fmt::format("the body is larger than {} bytes when decompressed", max_bytes));
}

Error broken(std::string_view coding) {
  return Error::reject(fmt::format("the body is not {} as its Content-Encoding says", coding));
}

Bytef* as_input(std::string_view text) {
  // zlib's next_in lacks const; inflate and deflate do not write through it.
  return const_cast<Bytef*>(reinterpret_cast<const Bytef*>(text.data()));
}

/// Inflates one or more members. `window` as inflateInit2 takes it.
Result<std::string> inflate_all(std::string_view body, int window, std::string_view coding, std::size_t max_bytes) {
  if (body.size() > kZlibMost) return Error::reject("the body is larger than 4 GiB");
  z_stream stream{};
  if (inflateInit2(&stream, window) != Z_OK) return Error::retry("no memory to decompress the body");
  const std::unique_ptr<z_stream, decltype(&inflateEnd)> guard(&stream, &inflateEnd);
  stream.next_in = as_input(body);
  stream.avail_in = static_cast<uInt>(body.size());
  std::string out;
  for (;;) {
    const std::size_t before = out.size();
    // One byte beyond the limit tells a body of exactly that size from a larger one.
    const std::size_t room = std::min(std::max(kInflatedPiece, before), max_bytes - before + 1);
    out.resize(before + std::min(room, kZlibMost));
    stream.next_out = reinterpret_cast<Bytef*>(out.data() + before);
    stream.avail_out = static_cast<uInt>(out.size() - before);
    const int code = inflate(&stream, Z_NO_FLUSH);
    out.resize(out.size() - stream.avail_out);
    if (out.size() > max_bytes) return too_large(max_bytes);
    if (code == Z_STREAM_END) {
      if (stream.avail_in == 0) return out;
      if (window == kRawDeflate || inflateReset(&stream) != Z_OK) return broken(coding);
    } else if (code != Z_OK || (stream.avail_in == 0 && stream.avail_out != 0)) {
      return broken(coding);
    }
  }
}

Result<std::string> zstd_all(std::string_view body, std::size_t max_bytes) {
  const std::unique_ptr<ZSTD_DCtx, decltype(&ZSTD_freeDCtx)> context(ZSTD_createDCtx(), &ZSTD_freeDCtx);
  if (!context) return Error::retry("no memory to decompress the body");
  ZSTD_inBuffer in{body.data(), body.size(), 0};
  std::string out;
  std::size_t hint = 1;
  for (;;) {
    const std::size_t before = out.size();
    out.resize(before + std::min(std::max(kInflatedPiece, before), max_bytes - before + 1));
    ZSTD_outBuffer buffer{out.data() + before, out.size() - before, 0};
    hint = ZSTD_decompressStream(context.get(), &buffer, &in);
    const bool is_full = buffer.pos == buffer.size;
    out.resize(before + buffer.pos);
    if (ZSTD_isError(hint) != 0) return broken("zstd");
    if (out.size() > max_bytes) return too_large(max_bytes);
    if (in.pos == in.size && !is_full) break;
  }
  // A hint other than 0 means that the last frame is not complete.
  if (hint != 0) return broken("zstd");
  return out;
}

Result<std::string> gzip(std::string_view body) {
  if (body.size() > kZlibMost) return Error::reject("the body is larger than 4 GiB");
  z_stream stream{};
  if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, kGzip, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
    return Error::retry("no memory to compress the body");
  }
  const std::unique_ptr<z_stream, decltype(&deflateEnd)> guard(&stream, &deflateEnd);
  std::string out(deflateBound(&stream, body.size()), '\0');
  stream.next_in = as_input(body);
  stream.avail_in = static_cast<uInt>(body.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(std::min(out.size(), kZlibMost));
  if (deflate(&stream, Z_FINISH) != Z_STREAM_END) return Error::give_up("the body could not be compressed");
  out.resize(stream.total_out);
  return out;
}

Result<std::string> zstd(std::string_view body) {
  std::string out(ZSTD_compressBound(body.size()), '\0');
  const std::size_t size = ZSTD_compress(out.data(), out.size(), body.data(), body.size(), 3);
  if (ZSTD_isError(size) != 0) return Error::give_up("the body could not be compressed");
  out.resize(size);
  return out;
}

}  // namespace

Result<std::string> decode_body(std::string_view body, std::string_view content_encoding, std::size_t max_bytes) {
  std::string coding(content_encoding);
  for (char& c : coding) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  max_bytes = std::min(max_bytes, std::numeric_limits<std::size_t>::max() / 4);
  if (coding.empty() || coding == "identity") {
    if (body.size() > max_bytes) return Error::reject(fmt::format("the body is larger than {} bytes", max_bytes));
    return std::string(body);
  }
  if (coding == "gzip" || coding == "x-gzip") return inflate_all(body, kGzipOrZlib, "gzip", max_bytes);
  if (coding == "deflate") {
    // The standard means zlib's wrapping; some clients send the bare stream.
    if (auto wrapped = inflate_all(body, kGzipOrZlib, "deflate", max_bytes)) return wrapped;
    return inflate_all(body, kRawDeflate, "deflate", max_bytes);
  }
  if (coding == "zstd") return zstd_all(body, max_bytes);
  return Error::reject(
      fmt::format("Content-Encoding \"{}\" is not known; send identity, gzip, deflate or zstd", content_encoding));
}

Result<std::string> encode_body(std::string_view body, std::string_view content_encoding) {
  if (content_encoding == "gzip") return gzip(body);
  if (content_encoding == "zstd") return zstd(body);
  return Error::reject(fmt::format("content encoding \"{}\" is not known", content_encoding));
}

}  // namespace marquee::http
