// What every sink does with a line: count it, and see whether it was the last.
#pragma once

#include <chrono>

#include "marquee/simulate/run.h"

namespace marquee::simulate {

class Progress {
 public:
  Progress(const RunOptions& options, Summary& summary) : options_(options), summary_(summary) {}

  [[nodiscard]] bool is_stopped() const {
    return options_.stop != nullptr && options_.stop->load(std::memory_order_relaxed);
  }
  [[nodiscard]] bool has_enough() const { return options_.events > 0 && summary_.events >= options_.events; }
  [[nodiscard]] std::uint64_t events_left() const {
    return options_.events > 0 ? options_.events - summary_.events : UINT64_MAX;
  }
  [[nodiscard]] std::chrono::duration<double> elapsed() const { return std::chrono::steady_clock::now() - begun_; }

  void count(LineKind kind) {
    ++summary_.events;
    if (kind == LineKind::late) ++summary_.late;
    if (kind == LineKind::repeat) ++summary_.repeats;
    if (kind == LineKind::malformed) ++summary_.malformed;
  }
  void report() {
    summary_.seconds = elapsed().count();
    if (!options_.on_progress || summary_.seconds - reported_ < 0.2) return;
    reported_ = summary_.seconds;
    options_.on_progress(summary_);
  }

 private:
  const RunOptions& options_;
  Summary& summary_;
  std::chrono::steady_clock::time_point begun_ = std::chrono::steady_clock::now();
  double reported_ = 0;
};

/// Appends lines until `ndjson` holds about `bytes`. False once the run is at its end; the lines in `ndjson` still
/// count.
bool fill(Stream& stream, const RunOptions& options, Progress& progress, std::size_t bytes, std::string& ndjson);

}  // namespace marquee::simulate
