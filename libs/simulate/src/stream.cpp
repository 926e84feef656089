#include "marquee/simulate/stream.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <functional>
#include <vector>

#include "calendar.h"
#include "campus.h"
#include "faults.h"
#include "session.h"

namespace marquee::simulate {
namespace {

constexpr double kEventsPerSession = 52.6;  // Measured: tests/stream_test.cpp holds it to the truth.
constexpr double kMostEventsPerSecond = 50'000;
constexpr std::int64_t kNsPerMs = 1'000'000;

bool is_share(double share) { return share >= 0 && share < 1; }

// Mean time between two sessions at the busiest moment of the year.
std::uint64_t gap_ns(const StreamOptions& options, const Calendar& calendar) {
  const double sessions_per_second = options.events_per_second > 0 ? options.events_per_second / kEventsPerSession
                                                                   : options.students * kSessionsPerStudentDay / 86'400;
  const double gap = 1e9 / sessions_per_second * (calendar.mean_activity() / Calendar::kBusiest);
  return static_cast<std::uint64_t>(std::clamp(gap, 1.0, 3e13));
}

}  // namespace

class Stream::Impl {
 public:
  explicit Impl(const StreamOptions& options)
      : options_(options),
        campus_(options.campus_seed.value_or(options.seed), options.colleges, options.students),
        calendar_(options.has_rhythm),
        random_(options.seed),
        fault_random_(mix(options.seed) + 1),
        late_(Chance::of(options.late)),
        repeat_(Chance::of(options.repeat)),
        malformed_(Chance::of(options.malformed)),
        gap_ns_(gap_ns(options, calendar_)),
        clock_ms_(options.start_ms) {
    plan_arrival();
  }

  Line next(std::string& ndjson, std::optional<std::int64_t> now_ms) {
    // One draw decides for all lines which kind they are, so that the shares are what the options say.
    const auto ticket = fault_random_.next() >> 32;
    if (ticket < malformed_.share) {
      append_malformed(fault_random_, now_ms.value_or(clock_ms_), ndjson);
      return {LineKind::malformed, clock_ms_};
    }
    if (ticket < malformed_.share + repeat_.share && !recent_.is_empty()) {
      ndjson += recent_.draw(fault_random_);
      return {LineKind::repeat, clock_ms_};
    }
    const auto begin = ndjson.size();
    const auto line = next_good(ndjson, now_ms);
    if (repeat_.share > 0) recent_.keep(std::string_view(ndjson).substr(begin));
    return line;
  }

 private:
  struct Turn {
    std::int64_t time_ms;
    std::uint32_t session;
    bool operator>(const Turn& other) const {
      return time_ms != other.time_ms ? time_ms > other.time_ms : session > other.session;
    }
  };

  // The next event of the campus, unless a late one is due before it.
  Line next_good(std::string& ndjson, std::optional<std::int64_t> now_ms) {
    for (;;) {
      while (turns_.empty() || arrival_ms() <= turns_.front().time_ms) begin_session();
      const auto turn = turns_.front();
      if (late_lines_.has_due(turn.time_ms)) {
        std::int64_t due_ms = 0;
        ndjson += late_lines_.take(due_ms);
        clock_ms_ = std::clamp(due_ms, clock_ms_, turn.time_ms);
        return {LineKind::late, clock_ms_};
      }
      clock_ms_ = turn.time_ms;
      const auto begin = ndjson.size();
      take(turn, now_ms.value_or(turn.time_ms), ndjson);
      if (late_.share == 0 || !fault_random_.happens(late_)) return {LineKind::fresh, clock_ms_};
      const auto least_ms = options_.late_by_ms / 10;
      const auto more_ms = fault_random_.exponential(static_cast<std::uint64_t>(options_.late_by_ms - least_ms));
      late_lines_.keep(clock_ms_ + least_ms + static_cast<std::int64_t>(more_ms), ndjson.substr(begin));
      ndjson.resize(begin);
    }
  }

  void take(const Turn& turn, std::int64_t event_time_ms, std::string& ndjson) {
    auto& session = sessions_[turn.session];
    session.take(campus_, random_, calendar_.is_exam_season(turn.time_ms), event_time_ms, ndjson);
    std::ranges::pop_heap(turns_, std::greater{});
    if (session.is_over()) {
      turns_.pop_back();
      free_.push_back(turn.session);
    } else {
      turns_.back() = {session.next_time_ms(), turn.session};
      std::ranges::push_heap(turns_, std::greater{});
    }
  }

  [[nodiscard]] std::int64_t arrival_ms() const { return options_.start_ms + arrival_ns_ / kNsPerMs; }

  // A Poisson process whose rate follows the calendar, by thinning (Lewis and Shedler 1979).
  void plan_arrival() {
    do arrival_ns_ += static_cast<std::int64_t>(random_.exponential(gap_ns_));
    while (random_.below(Calendar::kBusiest) >= calendar_.activity(arrival_ms()));
  }

  void begin_session() {
    const auto time_ms = arrival_ms();
    if (free_.empty()) {
      free_.push_back(static_cast<std::uint32_t>(sessions_.size()));
      sessions_.emplace_back();
    }
    const auto place = free_.back();
    free_.pop_back();
    // mix is a bijection: sessions of a stream never share an id.
    const auto id = mix(mix(options_.seed + 0x7365737369U) + session_count_++);
    sessions_[place].begin(campus_, random_, id, time_ms, calendar_.is_exam_season(time_ms));
    turns_.push_back({time_ms, place});
    std::ranges::push_heap(turns_, std::greater{});
    plan_arrival();
  }

  StreamOptions options_;
  Campus campus_;
  Calendar calendar_;
  Random random_;        // Of the students.
  Random fault_random_;  // Of what goes wrong; apart, so that the students do the same whatever goes wrong.
  Chance late_, repeat_, malformed_;
  std::uint64_t gap_ns_;
  std::int64_t arrival_ns_ = 0;  // Of the next session, after the start.
  std::int64_t clock_ms_;
  std::uint64_t session_count_ = 0;
  std::deque<Session> sessions_;
  std::vector<std::uint32_t> free_;
  std::vector<Turn> turns_;  // A heap: when each open session goes on.
  RecentLines recent_;
  LateLines late_lines_;
};

Result<Stream> Stream::open(const StreamOptions& options) {
  if (options.colleges < 1 || options.colleges > 10'000)
    return Error::reject(fmt::format("colleges: expected 1 to 10000, got {}", options.colleges));
  if (options.students < 1 || options.students > 100'000'000)
    return Error::reject(fmt::format("students: expected 1 to 100000000, got {}", options.students));
  if (!(options.events_per_second >= 0 && options.events_per_second <= kMostEventsPerSecond))
    return Error::reject(fmt::format("rate: expected 0 to {} events per second, got {}", kMostEventsPerSecond,
                                     options.events_per_second));
  if (options.start_ms < 0 || options.start_ms >= 4'000'000'000'000)
    return Error::reject(fmt::format("start: expected a time from 1970 to 2096, got {} ms", options.start_ms));
  if (!is_share(options.late) || !is_share(options.repeat) || !is_share(options.malformed) ||
      options.repeat + options.malformed >= 1)
    return Error::reject(
        "late, repeat, malformed: expected shares from 0 to below 1, repeat and malformed together below 1");
  if (options.late_by_ms < 1 || options.late_by_ms > 86'400'000)
    return Error::reject(fmt::format("late_by: expected 1 ms to a day, got {} ms", options.late_by_ms));
  return Stream(std::make_unique<Impl>(options));
}

Stream::Stream(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Stream::~Stream() = default;
Stream::Stream(Stream&&) noexcept = default;
Stream& Stream::operator=(Stream&&) noexcept = default;

Line Stream::next(std::string& ndjson, std::optional<std::int64_t> now_ms) { return impl_->next(ndjson, now_ms); }

}  // namespace marquee::simulate
