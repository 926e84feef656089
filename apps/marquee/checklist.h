// What `marquee doctor` tells.
#pragma once

#include <fmt/format.h>

#include <string_view>

namespace marquee::app {

/// Prints one line per check and counts those that want fixing.
class Checklist {
 public:
  void good(std::string_view what, std::string_view detail) { line("ok", what, detail); }
  void note(std::string_view what, std::string_view detail) { line("-", what, detail); }
  void bad(std::string_view what, std::string_view fix) {
    line("FIX", what, fix);
    ++bad_;
  }
  [[nodiscard]] int bad_count() const { return bad_; }

 private:
  static void line(std::string_view mark, std::string_view what, std::string_view detail) {
    fmt::print("{:<4} {:<14} {}\n", mark, what, detail);
  }
  int bad_ = 0;
};

}  // namespace marquee::app
