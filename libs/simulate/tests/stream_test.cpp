#include "marquee/simulate/stream.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "marquee/event/parser.h"
#include "marquee/simulate/run.h"

namespace marquee::simulate {
namespace {

constexpr std::int64_t kDayMs = 86'400'000;
constexpr std::int64_t kHourMs = 3'600'000;
constexpr std::int64_t kLocalMs = 330 * 60'000;

Stream opened_stream(const StreamOptions& options) {
  auto stream = Stream::open(options);
  EXPECT_TRUE(stream) << stream.error().message;
  return std::move(*stream);
}

std::string text_of(const StreamOptions& options, std::size_t lines) {
  auto stream = opened_stream(options);
  std::string text;
  for (std::size_t i = 0; i < lines; ++i) stream.next(text);
  return text;
}

// What a test needs of a parsed event; the event itself borrows from the parser.
struct Seen {
  std::uint64_t session_id = 0;
  std::uint32_t seq = 0;
  std::int64_t time_ms = 0;
  event::Type type = event::Type::custom;
  std::string college, campaign, ad, decision;
  float propensity = 0;
};

struct Read {
  std::vector<Seen> events;
  std::vector<event::Rejection> rejections;
};

Read read(const std::string& ndjson) {
  event::Parser parser;
  event::Context context;
  context.site_id = "campus";
  context.received_time_ms = StreamOptions().start_ms;
  context.max_future_ms = 400 * kDayMs;  // A key that is not trusted: the fields of the public API must do.
  Read result;
  const auto outcome = parser.parse(ndjson, context, [&](const event::Event& e) {
    result.events.push_back({e.session_id, e.seq, e.event_time_ms, e.type, std::string(e.college_id),
                             std::string(e.campaign_id), std::string(e.ad_id), std::string(e.decision_id),
                             e.propensity});
  });
  EXPECT_TRUE(outcome);
  if (outcome) result.rejections = outcome->rejections;
  return result;
}

TEST(Stream, gives_the_same_bytes_for_the_same_seed) {
  StreamOptions options;
  options.late = 0.1;
  options.repeat = 0.1;
  options.malformed = 0.1;
  const auto text = text_of(options, 50'000);
  EXPECT_EQ(text, text_of(options, 50'000));
}

// A change of the stream is a change for everyone who has written down a seed: it belongs into the changelog.
TEST(Stream, gives_the_bytes_that_it_has_always_given) {
  StreamOptions options;
  options.late = 0.1;
  options.repeat = 0.1;
  options.malformed = 0.1;
  std::uint64_t fingerprint = 14695981039346656037U;  // FNV-1a
  for (const char c : text_of(options, 50'000))
    fingerprint = (fingerprint ^ static_cast<unsigned char>(c)) * 1099511628211U;
  EXPECT_EQ(fingerprint, 15388329772699177711U);
}

TEST(Stream, gives_other_sessions_for_another_seed) {
  StreamOptions other;
  other.seed = 2;
  std::set<std::uint64_t> sessions;
  for (const auto& event : read(text_of({}, 20'000)).events) sessions.insert(event.session_id);
  for (const auto& event : read(text_of(other, 20'000)).events) EXPECT_FALSE(sessions.contains(event.session_id));
}

TEST(Stream, makes_the_students_do_the_same_whatever_goes_wrong_on_the_way) {
  StreamOptions faulty;
  faulty.repeat = 0.2;
  faulty.malformed = 0.2;
  auto stream = opened_stream(faulty);
  std::string good;
  for (std::string line; good.size() < 1'000'000; line.clear())
    if (stream.next(line).kind == LineKind::fresh) good += line;
  EXPECT_TRUE(text_of({}, 4'000).starts_with(good.substr(0, 1'000'000)));
}

TEST(Stream, keeps_to_the_shares_of_late_repeated_and_malformed_lines) {
  StreamOptions options;
  options.late = 0.05;
  options.repeat = 0.03;
  options.malformed = 0.02;
  auto stream = opened_stream(options);
  constexpr double kLines = 400'000;
  std::map<LineKind, double> counts;
  std::string text;
  for (int i = 0; i < static_cast<int>(kLines); ++i, text.clear()) ++counts[stream.next(text).kind];
  EXPECT_NEAR(counts[LineKind::repeat] / kLines, 0.03, 0.002);
  EXPECT_NEAR(counts[LineKind::malformed] / kLines, 0.02, 0.002);
  const auto good = counts[LineKind::fresh] + counts[LineKind::late];
  EXPECT_NEAR(counts[LineKind::late] / good, 0.05, 0.003);
}

TEST(Stream, sends_late_lines_after_younger_ones_and_fresh_lines_in_order) {
  StreamOptions options;
  options.late = 0.05;
  options.events_per_second =
      1;  // 200,000 of them last much longer than a delay, so that few are still held at the end.
  options.has_rhythm = false;
  auto stream = opened_stream(options);
  std::int64_t newest = 0;
  std::vector<double> delays;
  std::string line;
  for (int i = 0; i < 200'000; ++i) {
    line.clear();
    const auto sent = stream.next(line);
    const auto at = line.find(R"("event_time":)") + 13;
    const auto time_ms = std::stoll(line.substr(at, 13));
    ASSERT_GE(sent.time_ms, newest);
    newest = sent.time_ms;
    if (sent.kind == LineKind::fresh) {
      ASSERT_EQ(time_ms, sent.time_ms);
      continue;
    }
    delays.push_back(static_cast<double>(sent.time_ms - time_ms));
  }
  ASSERT_GT(delays.size(), 5'000U);
  EXPECT_GE(*std::ranges::min_element(delays), 60'000);
  double sum = 0;
  for (const auto delay : delays) sum += delay;
  EXPECT_NEAR(sum / static_cast<double>(delays.size()), 600'000, 30'000);
}

TEST(Stream, is_read_by_the_parser_but_for_the_malformed_lines_which_never_are) {
  StreamOptions options;
  options.late = 0.05;
  options.repeat = 0.05;
  options.malformed = 0.1;
  auto stream = opened_stream(options);
  std::string text;
  std::vector<LineKind> kinds;
  for (int i = 0; i < 100'000; ++i) kinds.push_back(stream.next(text).kind);
  const auto result = read(text);
  EXPECT_EQ(result.events.size() + result.rejections.size(), kinds.size());
  EXPECT_EQ(static_cast<std::ptrdiff_t>(result.rejections.size()), std::ranges::count(kinds, LineKind::malformed));
  std::set<std::string> fields;
  for (const auto& rejection : result.rejections) {
    ASSERT_EQ(kinds[rejection.index], LineKind::malformed) << rejection.field << ": " << rejection.reason;
    fields.insert(rejection.field);
  }
  EXPECT_THAT(fields, testing::UnorderedElementsAre("", "type", "seq", "position", "event_time", "scroll_depth",
                                                    "propensity", "session_id"));
}

TEST(Stream, gives_each_event_an_identity_of_its_own_save_for_repeats) {
  StreamOptions options;
  options.late = 0.05;
  options.repeat = 0.05;
  auto stream = opened_stream(options);
  std::string text;
  std::size_t repeats = 0;
  for (int i = 0; i < 300'000; ++i)
    if (stream.next(text).kind == LineKind::repeat) ++repeats;
  std::set<std::pair<std::uint64_t, std::uint32_t>> identities;
  const auto result = read(text);
  for (const auto& event : result.events) identities.emplace(event.session_id, event.seq);
  EXPECT_GT(repeats, 10'000U);
  EXPECT_EQ(identities.size() + repeats, 300'000U);
}

TEST(Stream, numbers_a_session_from_one_without_gaps_and_forward_in_time) {
  std::map<std::uint64_t, Seen> last;
  for (const auto& event : read(text_of({}, 100'000)).events) {
    auto& before = last[event.session_id];
    ASSERT_EQ(event.seq, before.seq + 1);
    ASSERT_GE(event.time_ms, before.time_ms);
    if (event.seq == 1) {
      ASSERT_EQ(event.type, event::Type::page_view);
    }
    before = event;
  }
  EXPECT_GT(last.size(), 1'500U);
}

TEST(Stream, has_every_type_of_event_in_plausible_proportions) {
  std::map<event::Type, double> counts;
  for (const auto& event : read(text_of({}, 400'000)).events) ++counts[event.type];
  using event::Type;
  for (const auto type :
       {Type::page_view, Type::page_leave, Type::impression, Type::viewable_impression, Type::hover, Type::click,
        Type::scroll, Type::search, Type::course_view, Type::course_click, Type::conversion})
    EXPECT_GT(counts[type], 20) << event::name(type);
  EXPECT_GT(counts[Type::impression], counts[Type::viewable_impression]);
  const auto click_rate = counts[Type::click] / counts[Type::impression];
  EXPECT_GT(click_rate, 0.004);
  EXPECT_LT(click_rate, 0.03);
  EXPECT_GT(counts[Type::click], counts[Type::conversion] * 5);
}

TEST(Stream, clicks_and_converts_only_on_ads_that_were_shown) {
  std::map<std::string, std::string> shown;
  std::size_t checked = 0;
  for (const auto& event : read(text_of({}, 200'000)).events) {
    if (event.decision.empty()) continue;
    if (event.type == event::Type::impression) {
      EXPECT_TRUE(shown.emplace(event.decision, event.ad).second);
      continue;
    }
    ++checked;
    ASSERT_EQ(shown[event.decision], event.ad) << event::name(event.type);
  }
  EXPECT_GT(checked, 10'000U);
}

TEST(Stream, logs_propensities_that_are_those_of_the_choice) {
  // Each ad's impressions, weighted by 1 / propensity, must come to the same number: the essence of a propensity.
  std::map<std::string, double> weighted;
  double impressions = 0;
  for (const auto& event : read(text_of({}, 1'000'000)).events) {
    if (event.type != event::Type::impression) continue;
    ASSERT_GT(event.propensity, 0);
    weighted[event.ad] += 1 / static_cast<double>(event.propensity);
    ++impressions;
  }
  ASSERT_EQ(weighted.size(), 96U);
  for (const auto& [ad, weight] : weighted) EXPECT_NEAR(weight / impressions, 1, 0.12) << ad;
}

TEST(Stream, is_quiet_at_night_and_loud_in_the_exam_season) {
  StreamOptions options;
  options.events_per_second = 2;
  auto stream = opened_stream(options);
  std::map<std::int64_t, double> by_hour, by_day;
  std::string text;
  for (;; text.clear()) {
    const auto local = stream.next(text).time_ms + kLocalMs;
    if (local >= options.start_ms + kLocalMs + 7 * kDayMs) break;
    ++by_hour[local % kDayMs / kHourMs];
    ++by_day[local / kDayMs];
  }
  EXPECT_GT(by_hour[11], 10 * by_hour[4]);
  EXPECT_GT(by_hour[21], 1.2 * by_hour[18]);
  double week = 0;
  for (const auto& [day, count] : by_day) week += count;
  EXPECT_NEAR(week / (7 * 86'400), 2, 0.15) << "the events per session have changed: kEventsPerSession in stream.cpp";

  options.start_ms = 1'777'833'000'000;  // 2026-05-04T00:00:00+05:30, a Monday in the exam season.
  auto exams = opened_stream(options);
  double day = 0;
  while (exams.next(text).time_ms < options.start_ms + kDayMs) ++day, text.clear();
  EXPECT_GT(day, 1.6 * week / 7);
}

TEST(Stream, keeps_the_rate_around_the_clock_without_rhythm) {
  StreamOptions options;
  options.events_per_second = 20;
  options.has_rhythm = false;
  auto stream = opened_stream(options);
  std::map<std::int64_t, double> by_hour;
  std::string text;
  for (;; text.clear()) {
    const auto hour = (stream.next(text).time_ms - options.start_ms) / kHourMs;
    if (hour == 6) break;
    ++by_hour[hour];
  }
  for (int hour = 1; hour < 6; ++hour) EXPECT_NEAR(by_hour[hour] / 3'600, 20, 2) << hour;
}

TEST(Stream, has_one_college_that_is_much_larger_than_most) {
  std::map<std::string, std::size_t> sizes;
  for (const auto& event : read(text_of({}, 300'000)).events)
    if (!event.college.empty()) ++sizes[event.college];
  EXPECT_EQ(sizes.size(), 40U);
  std::vector<std::size_t> sorted;
  for (const auto& [college, size] : sizes) sorted.push_back(size);
  std::ranges::sort(sorted);
  EXPECT_GT(sorted.back(), 10 * sorted[sorted.size() / 2]);
}

TEST(Stream, stamps_events_with_the_time_it_is_given) {
  auto stream = opened_stream({});
  std::string text;
  for (int i = 0; i < 1'000; ++i) stream.next(text, 1'800'000'000'000 + i);
  const auto result = read(text);
  ASSERT_EQ(result.events.size(), 1'000U);
  for (int i = 0; i < 1'000; ++i) ASSERT_EQ(result.events[static_cast<std::size_t>(i)].time_ms, 1'800'000'000'000 + i);
}

TEST(Stream, works_at_the_edges_of_its_options) {
  for (const std::uint32_t colleges : {1U, 10'000U})
    for (const std::uint32_t students : {1U, 100'000'000U}) {
      StreamOptions options;
      options.colleges = colleges;
      options.students = students;
      EXPECT_TRUE(read(text_of(options, 2'000)).rejections.empty());
    }
}

TEST(Stream, names_the_option_that_is_out_of_bounds) {
  const auto message = [](auto change) {
    StreamOptions options;
    change(options);
    const auto stream = Stream::open(options);
    return stream ? std::string() : stream.error().message;
  };
  EXPECT_THAT(message([](auto& o) { o.colleges = 0; }), testing::StartsWith("colleges"));
  EXPECT_THAT(message([](auto& o) { o.students = 0; }), testing::StartsWith("students"));
  EXPECT_THAT(message([](auto& o) { o.events_per_second = -1; }), testing::StartsWith("rate"));
  EXPECT_THAT(message([](auto& o) { o.events_per_second = NAN; }), testing::StartsWith("rate"));
  EXPECT_THAT(message([](auto& o) { o.start_ms = -1; }), testing::StartsWith("start"));
  EXPECT_THAT(message([](auto& o) { o.late = 1; }), testing::StartsWith("late"));
  EXPECT_THAT(message([](auto& o) { o.repeat = o.malformed = 0.5; }), testing::StartsWith("late"));
  EXPECT_THAT(message([](auto& o) { o.late_by_ms = 0; }), testing::StartsWith("late_by"));
}

}  // namespace
}  // namespace marquee::simulate
