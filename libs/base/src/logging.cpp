#include "marquee/base/logging.h"

#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <span>

#include "logging_format.h"

namespace marquee::logging {
namespace {

// The level and form belong to the process's stderr, of which there is one.
std::atomic<Level> lowest_level{Level::info};
std::atomic<bool> as_text{false};

}  // namespace

void configure(Level level, bool text) {
  lowest_level = level;
  as_text = text;
}

void write(Level level, std::string_view event, std::initializer_list<Field> fields) {
  if (level < lowest_level.load(std::memory_order_relaxed)) return;
  const std::string line = format_line(as_text.load(std::memory_order_relaxed), SystemClock().now(), level, event,
                                       std::span<const Field>(fields.begin(), fields.size()));
  // One write call for the line: lines of several threads and processes do not mix. A lost log line stops nothing.
  std::string_view rest = line;
  while (!rest.empty()) {
    const ssize_t written = ::write(STDERR_FILENO, rest.data(), rest.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
}

}  // namespace marquee::logging
