#include "content_codings.h"

#include <brotli/decode.h>
#include <brotli/encode.h>
#include <fmt/format.h>
#include <lzma.h>
#include <zlib.h>

#include <algorithm>
#include <array>

namespace marquee::engine {
namespace {

constexpr std::size_t kStep = std::size_t{1} << 16;

const std::uint8_t* bytes(std::string_view text) { return reinterpret_cast<const std::uint8_t*>(text.data()); }

// What the largest preset of xz needs to be read; a header may ask for more, and is refused.
constexpr std::uint64_t kMostXzMemory = std::uint64_t{128} << 20;
constexpr std::uint32_t kXzPreset = 1;  // The default is ten times slower.

std::unexpected<Failure> broken_body(std::string_view why, std::string_view coding = "br") {
  return std::unexpected(failure(kIncorrectData, "INCORRECT_DATA", fmt::format("the {} body {}", coding, why)));
}

std::unexpected<Failure> cannot_compress() {
  return std::unexpected(failure(kUnknown, "CANNOT_COMPRESS", "the answer cannot be compressed"));
}

class BrotliCoder final : public StreamCoder {
 public:
  BrotliCoder() : state_(BrotliEncoderCreateInstance(nullptr, nullptr, nullptr), BrotliEncoderDestroyInstance) {
    constexpr std::uint32_t kQuality = 4;  // About as fast as gzip; the default is a hundred times slower.
    BrotliEncoderSetParameter(state_.get(), BROTLI_PARAM_QUALITY, kQuality);
  }

  Answer<std::string> add(std::string_view piece, bool last) override {
    std::string out;
    std::size_t left = piece.size();
    const std::uint8_t* next = bytes(piece);
    const auto operation = last ? BROTLI_OPERATION_FINISH : BROTLI_OPERATION_FLUSH;
    do {
      std::size_t room = 0;
      if (BrotliEncoderCompressStream(state_.get(), operation, &left, &next, &room, nullptr, nullptr) == BROTLI_FALSE)
        return cannot_compress();
      std::size_t size = 0;
      const std::uint8_t* made = BrotliEncoderTakeOutput(state_.get(), &size);
      out.append(reinterpret_cast<const char*>(made), size);
    } while (left > 0 || BrotliEncoderHasMoreOutput(state_.get()) == BROTLI_TRUE ||
             (last && BrotliEncoderIsFinished(state_.get()) == BROTLI_FALSE));
    return out;
  }

 private:
  std::unique_ptr<BrotliEncoderState, void (*)(BrotliEncoderState*)> state_;
};

class DeflateCoder final : public StreamCoder {
 public:
  DeflateCoder() { is_ready_ = deflateInit(&stream_, Z_DEFAULT_COMPRESSION) == Z_OK; }
  ~DeflateCoder() override {
    if (is_ready_) deflateEnd(&stream_);
  }
  DeflateCoder(const DeflateCoder&) = delete;
  DeflateCoder& operator=(const DeflateCoder&) = delete;

  Answer<std::string> add(std::string_view piece, bool last) override {
    if (!is_ready_) return cannot_compress();
    std::string out;
    // zlib's next_in lacks const; it does not write through it.
    stream_.next_in = const_cast<Bytef*>(bytes(piece));
    stream_.avail_in = static_cast<uInt>(piece.size());
    std::array<Bytef, kStep> room{};
    do {
      stream_.next_out = room.data();
      stream_.avail_out = static_cast<uInt>(room.size());
      if (deflate(&stream_, last ? Z_FINISH : Z_SYNC_FLUSH) == Z_STREAM_ERROR) return cannot_compress();
      out.append(reinterpret_cast<const char*>(room.data()), room.size() - stream_.avail_out);
    } while (stream_.avail_out == 0);
    return out;
  }

 private:
  z_stream stream_{};
  bool is_ready_ = false;
};

/// Ends liblzma's stream.
struct LzmaEnd {
  void operator()(lzma_stream* stream) const {
    lzma_end(stream);
    delete stream;
  }
};
using LzmaStream = std::unique_ptr<lzma_stream, LzmaEnd>;

LzmaStream make_lzma_stream() { return LzmaStream(new lzma_stream(LZMA_STREAM_INIT)); }

class XzCoder final : public StreamCoder {
 public:
  XzCoder() { is_ready_ = lzma_easy_encoder(stream_.get(), kXzPreset, LZMA_CHECK_CRC32) == LZMA_OK; }

  Answer<std::string> add(std::string_view piece, bool last) override {
    if (!is_ready_) return cannot_compress();
    std::string out;
    stream_->next_in = bytes(piece);
    stream_->avail_in = piece.size();
    std::array<std::uint8_t, kStep> room{};
    for (lzma_ret done = LZMA_OK; done == LZMA_OK;) {
      stream_->next_out = room.data();
      stream_->avail_out = room.size();
      done = lzma_code(stream_.get(), last ? LZMA_FINISH : LZMA_SYNC_FLUSH);
      if (done != LZMA_OK && done != LZMA_STREAM_END) return cannot_compress();
      out.append(reinterpret_cast<const char*>(room.data()), room.size() - stream_->avail_out);
    }
    return out;
  }

 private:
  LzmaStream stream_ = make_lzma_stream();
  bool is_ready_ = false;
};

}  // namespace

Answer<std::string> decode_xz(std::string_view data, std::size_t max_bytes) {
  const LzmaStream stream = make_lzma_stream();
  if (lzma_stream_decoder(stream.get(), kMostXzMemory, LZMA_CONCATENATED) != LZMA_OK)
    return broken_body("cannot be read", "xz");
  std::string out;
  stream->next_in = bytes(data);
  stream->avail_in = data.size();
  std::array<std::uint8_t, kStep> room{};
  for (;;) {
    stream->next_out = room.data();
    stream->avail_out = room.size();
    const lzma_ret done = lzma_code(stream.get(), LZMA_FINISH);
    const std::size_t made = room.size() - stream->avail_out;
    if (made > max_bytes - out.size()) return broken_body(fmt::format("holds more than {} bytes", max_bytes), "xz");
    out.append(reinterpret_cast<const char*>(room.data()), made);
    if (done == LZMA_STREAM_END) return out;
    if (done != LZMA_OK) return broken_body(done == LZMA_BUF_ERROR ? "ends too early" : "is broken", "xz");
  }
}

Answer<std::string> decode_brotli(std::string_view data, std::size_t max_bytes) {
  const std::unique_ptr<BrotliDecoderState, void (*)(BrotliDecoderState*)> state(
      BrotliDecoderCreateInstance(nullptr, nullptr, nullptr), BrotliDecoderDestroyInstance);
  std::string out;
  std::size_t left = data.size();
  const std::uint8_t* next = bytes(data);
  for (;;) {
    std::size_t room = 0;
    const auto result = BrotliDecoderDecompressStream(state.get(), &left, &next, &room, nullptr, nullptr);
    if (result == BROTLI_DECODER_RESULT_ERROR) return broken_body("is broken");
    std::size_t size = 0;
    const std::uint8_t* made = BrotliDecoderTakeOutput(state.get(), &size);
    if (size > max_bytes - out.size()) return broken_body(fmt::format("holds more than {} bytes", max_bytes));
    out.append(reinterpret_cast<const char*>(made), size);
    if (result == BROTLI_DECODER_RESULT_NEEDS_MORE_INPUT && size == 0) return broken_body("ends too early");
    if (BrotliDecoderIsFinished(state.get()) == BROTLI_TRUE)
      return left == 0 ? Answer<std::string>(out) : broken_body("goes on");
  }
}

std::unique_ptr<StreamCoder> make_stream_coder(std::string_view encoding) {
  if (encoding == "br") return std::make_unique<BrotliCoder>();
  if (encoding == "deflate") return std::make_unique<DeflateCoder>();
  if (encoding == "xz") return std::make_unique<XzCoder>();
  return nullptr;
}

}  // namespace marquee::engine
