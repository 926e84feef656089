// A seeded stream of students on a campus network's pages, as lines of NDJSON that POST /v1/events takes.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "marquee/base/result.h"

namespace marquee::simulate {

struct StreamOptions {
  std::uint64_t seed = 1;
  /// Of colleges, students and what they like: streams that share it are of the same people. Without one it is `seed`.
  std::optional<std::uint64_t> campus_seed;
  std::int64_t start_ms = 1'768'176'000'000;  ///< Of event_time, since the Unix epoch: 2026-01-12T00:00:00Z, a Monday.
  /// Fresh and late events per second of event_time, averaged over an ordinary week; up to 50,000 (about 0.5 GB of open
  /// sessions). 0: what the students make, at kSessionsPerStudentDay each.
  double events_per_second = 0;
  bool has_rhythm =
      true;  ///< Hours of the day, week-ends and exam seasons (UTC+05:30); false: the same around the clock.
  std::uint32_t colleges = 40;      ///< 1 to 10,000; the size of the n-th is that of the first divided by n (Zipf).
  std::uint32_t students = 20'000;  ///< 1 to 100,000,000. They cost no memory.
  double late = 0;                  ///< Share of the good events that are held back before they are sent.
  /// For how long, on average: a tenth of it at least, the rest exponential. 1 ms to a day.
  std::int64_t late_by_ms = 600'000;
  double repeat = 0;     ///< Share of the lines that are one of the 1,024 good lines before, once more, byte for byte.
  double malformed = 0;  ///< Share of the lines that the collector refuses. repeat + malformed must stay below 1.
};

inline constexpr double kSessionsPerStudentDay = 1.5;

enum class LineKind : std::uint8_t {
  fresh,      ///< In its turn: the stream's event times do not go back.
  late,       ///< Held back; its event_time lies before that of lines sent already.
  repeat,     ///< An earlier line once more.
  malformed,  ///< Not JSON, an unknown type, a missing identity, or a value out of bounds.
};

struct Line {
  LineKind kind = LineKind::fresh;
  std::int64_t time_ms = 0;  ///< The stream's clock when the line is sent; never goes back.
};

/// Endless. Everything follows from the options: the same options give the same bytes, on any machine and with any
/// standard library (integers after the set-up, no std:: distributions). The good events do not depend on the shares of
/// repeats and malformed lines. Each session is a visit of one student: pages with their ads, scrolls, hovers, clicks,
/// searches, courses; a click leads to the offer, where a few convert. (session_id, seq) is unique within the stream
/// but for repeats, and differs between seeds. Which ad is shown is drawn by one of two policies; each ad event carries
/// its policy and propensity. Lines that are still held back when the caller ends are not sent. Not thread safe;
/// streams do not share anything.
class Stream {
 public:
  /// Action::reject names the option that is out of bounds.
  [[nodiscard]] static Result<Stream> open(const StreamOptions& options);
  ~Stream();
  Stream(Stream&&) noexcept;
  Stream& operator=(Stream&&) noexcept;

  /// Appends one line with its '\n'. `now_ms` is what events that happen now get as event_time (for a live stream);
  /// without it, they get the stream's own clock.
  Line next(std::string& ndjson, std::optional<std::int64_t> now_ms = std::nullopt);

 private:
  class Impl;
  explicit Stream(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace marquee::simulate
