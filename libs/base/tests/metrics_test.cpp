#include "marquee/base/metrics.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace marquee::metrics {
namespace {

TEST(Metrics, renders_what_was_counted_in_the_text_exposition_format) {
  Registry registry;
  auto& family = prometheus::BuildCounter().Name("marquee_events_total").Help("Events.").Register(registry);
  family.Add({{"site", "a\"b"}}).Increment(3);
  auto& seconds = prometheus::BuildHistogram().Name("marquee_seconds").Help("Time.").Register(registry);
  seconds.Add({}, latency_buckets()).Observe(0.003);
  const std::string text = render(registry);
  EXPECT_NE(text.find("# TYPE marquee_events_total counter"), std::string::npos);
  EXPECT_NE(text.find("marquee_events_total{site=\"a\\\"b\"} 3"), std::string::npos);
  EXPECT_NE(text.find("marquee_seconds_bucket{le=\"0.0025\"} 0"), std::string::npos) << text;
  EXPECT_NE(text.find("marquee_seconds_bucket{le=\"0.005\"} 1"), std::string::npos) << text;
}

TEST(Metrics, latency_buckets_rise_from_half_a_millisecond_to_thirty_seconds) {
  const auto buckets = latency_buckets();
  EXPECT_DOUBLE_EQ(buckets.front(), 0.0005);
  EXPECT_DOUBLE_EQ(buckets.back(), 30);
  EXPECT_TRUE(std::is_sorted(buckets.begin(), buckets.end()));
}

}  // namespace
}  // namespace marquee::metrics
