#include <fmt/format.h>
#include <lz4frame.h>

#include <algorithm>
#include <memory>

#include "marquee/engine/request.h"

namespace marquee::engine {
namespace {

constexpr std::size_t kLz4Step = std::size_t{1} << 20;

std::unexpected<Failure> broken_lz4(std::string_view why) {
  return std::unexpected(failure(kIncorrectData, "INCORRECT_DATA", fmt::format("the lz4 body is broken: {}", why)));
}

}  // namespace

Answer<std::string> decode_lz4_frames(std::string_view frames, std::size_t max_bytes) {
  LZ4F_dctx* raw = nullptr;
  if (LZ4F_isError(LZ4F_createDecompressionContext(&raw, LZ4F_VERSION)) != 0) return broken_lz4("no memory");
  const std::unique_ptr<LZ4F_dctx, LZ4F_errorCode_t (*)(LZ4F_dctx*)> context(raw, LZ4F_freeDecompressionContext);
  std::string out;
  std::size_t used = 0;
  std::size_t hint = frames.empty() ? 0 : 1;
  while (!frames.empty()) {
    // Room grows with the data, so that a small body that claims to be large takes no memory before it is.
    if (out.size() == used) out.resize(std::min(max_bytes + 1, std::max(used * 2, kLz4Step)));
    std::size_t produced = out.size() - used;
    std::size_t consumed = frames.size();
    hint = LZ4F_decompress(context.get(), out.data() + used, &produced, frames.data(), &consumed, nullptr);
    if (LZ4F_isError(hint) != 0) return broken_lz4(LZ4F_getErrorName(hint));
    used += produced;
    if (used > max_bytes) return broken_lz4(fmt::format("it holds more than {} bytes", max_bytes));
    frames.remove_prefix(consumed);
    if (consumed == 0 && produced == 0) return broken_lz4("it does not go on");
  }
  if (hint != 0) return broken_lz4("it ends in the middle of a frame");
  out.resize(used);
  return out;
}

std::string encode_lz4_frame(std::string_view data) {
  LZ4F_preferences_t preferences{};
  preferences.frameInfo.contentSize = data.size();
  preferences.frameInfo.blockSizeID = LZ4F_max1MB;
  std::string out(LZ4F_compressFrameBound(data.size(), &preferences), '\0');
  const std::size_t size = LZ4F_compressFrame(out.data(), out.size(), data.data(), data.size(), &preferences);
  out.resize(LZ4F_isError(size) != 0 ? 0 : size);
  return out;
}

}  // namespace marquee::engine
