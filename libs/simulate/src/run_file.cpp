#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "progress.h"

namespace marquee::simulate {
namespace {

constexpr std::size_t kFileBlock = 1 << 20;

Result<void> write_all(int descriptor, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto written = ::write(descriptor, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0)
      return Error{errno == EPIPE ? Action::retry : Action::give_up,
                   fmt::format("cannot write: {}", std::strerror(errno))};
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

}  // namespace

bool fill(Stream& stream, const RunOptions& options, Progress& progress, std::size_t bytes, std::string& ndjson) {
  while (ndjson.size() < bytes) {
    if (progress.is_stopped() || progress.has_enough()) return false;
    const auto begin = ndjson.size();
    const auto line = stream.next(ndjson);
    if (options.duration_ms > 0 && line.time_ms - options.start_ms >= options.duration_ms) {
      ndjson.resize(begin);
      return false;
    }
    progress.count(line.kind);
  }
  return true;
}

Summary write_ndjson(Stream& stream, int descriptor, const RunOptions& options) {
  Summary summary;
  Progress progress(options, summary);
  std::string ndjson;
  ndjson.reserve(kFileBlock + 4096);
  for (bool goes_on = true; goes_on;) {
    ndjson.clear();
    goes_on = fill(stream, options, progress, kFileBlock, ndjson);
    if (const auto written = write_all(descriptor, ndjson); !written) {
      if (written.error().action != Action::retry) summary.failure = written.error();
      break;
    }
    summary.bytes += ndjson.size();
    progress.report();
  }
  summary.seconds = progress.elapsed().count();
  return summary;
}

}  // namespace marquee::simulate
