// What goes wrong on the way to the collector: events that come late, come twice, or cannot be read.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "random.h"

namespace marquee::simulate {

/// Appends a line that the collector refuses, whatever else is in the request.
void append_malformed(Random& random, std::int64_t event_time_ms, std::string& ndjson);

/// The good lines sent last. Not thread safe.
class RecentLines {
 public:
  [[nodiscard]] bool is_empty() const { return lines_.empty(); }
  void keep(std::string_view line);
  [[nodiscard]] std::string_view draw(Random& random) const {
    return lines_[random.below(static_cast<std::uint32_t>(lines_.size()))];
  }

 private:
  static constexpr std::size_t kMost = 1024;
  std::vector<std::string> lines_;
  std::size_t oldest_ = 0;
};

/// Lines that wait to be sent late. At most kMost wait (some 30 MB); beyond that the first goes out before its time.
/// Not thread safe.
class LateLines {
 public:
  void keep(std::int64_t due_ms, std::string line);
  [[nodiscard]] bool has_due(std::int64_t time_ms) const {
    return !heap_.empty() && (heap_.front().due_ms <= time_ms || heap_.size() > kMost);
  }
  /// Moves out the line that is due first; its due time is in `due_ms`.
  std::string take(std::int64_t& due_ms);

 private:
  static constexpr std::size_t kMost = 65'536;
  struct Waiting {
    std::int64_t due_ms;
    std::uint64_t number;
    std::string line;
    bool operator>(const Waiting& other) const {
      return due_ms != other.due_ms ? due_ms > other.due_ms : number > other.number;
    }
  };
  std::vector<Waiting> heap_;
  std::uint64_t count_ = 0;
};

}  // namespace marquee::simulate
