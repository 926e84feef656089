#include "merged_logs.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "decision_record.h"
#include "marquee/decision/inventory.h"
#include "marquee/event/event.h"
#include "marquee/log/memory_log.h"

namespace marquee::serving {
namespace {

void append(log::EventLog& log, log::Partition partition, const std::string& record) {
  std::vector<log::Batch> batches;
  batches.emplace_back(partition).add(record);
  log.append(std::move(batches), [](Result<void> done) { ASSERT_TRUE(done); });
}

std::string event_at(std::int64_t time_ms, std::int64_t served_ms = 0) {
  event::Event event;
  event.site_id = "campus";
  event.external_id = "served-e";
  event.event_time_ms = event.received_time_ms = time_ms;
  if (served_ms > 0) {
    event.decision_id = "d";
    event.event_time_ms = served_ms;
  }
  std::string record;
  event::encode(event, record);
  return record;
}

std::string decision_at(std::int64_t time_ms) {
  decision::Campaign campaign;
  campaign.id = "c";
  decision::Ad ad;
  ad.id = "a";
  decision::CampaignRow campaign_row;
  campaign_row.campaign = &campaign;
  decision::AdRow row;
  row.ad = &ad;
  row.campaign = &campaign_row;
  decision::Request request;
  request.placements.push_back({.slot = "top"});
  decision::Decision decision;
  decision.time_ms = time_ms;
  decision.choices.resize(1);
  decision.choices[0].ad = &row;
  std::string record;
  append_record("campus", request, decision, record);
  return record;
}

class MergedLogsTest : public ::testing::Test {
 protected:
  /// Times of what there is, decisions as negative numbers.
  std::vector<std::int64_t> take_all() {
    std::vector<std::int64_t> times;
    for (;;) {
      const auto record = merged.next();
      if (!record || !*record) return times;
      const auto* choices = std::get_if<std::vector<LoggedChoice>>(&**record);
      times.push_back(choices != nullptr ? -choices->at(0).time_ms : std::get<event::Event>(**record).received_time_ms);
    }
  }

  std::unique_ptr<log::EventLog> events = log::open_memory_log(3), decisions = log::open_memory_log(2);
  MergedLogs merged{*events, *decisions};
};

TEST_F(MergedLogsTest, gives_all_partitions_in_the_order_of_time_and_decisions_first) {
  merged.begin({});
  for (const auto& [partition, time] : {std::pair(0U, 5), {1U, 2}, {2U, 9}, {0U, 7}, {1U, 8}})
    append(*events, partition, event_at(time));
  for (const auto& [partition, time] : {std::pair(0U, 1), {1U, 5}, {0U, 8}})
    append(*decisions, partition, decision_at(time));
  EXPECT_EQ(take_all(), std::vector<std::int64_t>{}) << "before advance()";
  merged.advance(merged.tip().value());
  EXPECT_EQ(take_all(), (std::vector<std::int64_t>{-1, 2, -5, 5, 7, -8, 8, 9}));
  EXPECT_EQ(take_all(), std::vector<std::int64_t>{});
}

TEST_F(MergedLogsTest, gives_what_was_served_after_its_decision_though_it_came_before_by_the_clock) {
  merged.begin({});
  append(*events, 0, event_at(3, 102));
  append(*events, 1, event_at(4));
  append(*decisions, 0, decision_at(101));
  merged.advance(merged.tip().value());
  EXPECT_EQ(take_all(), (std::vector<std::int64_t>{4, -101, 3}));
}

TEST_F(MergedLogsTest, what_comes_after_advance_waits_for_the_next) {
  merged.begin({});
  append(*events, 0, event_at(1));
  merged.advance(merged.tip().value());
  append(*events, 0, event_at(3));
  append(*decisions, 0, decision_at(2));
  EXPECT_EQ(take_all(), std::vector<std::int64_t>{1});
  merged.advance(merged.tip().value());
  EXPECT_EQ(take_all(), (std::vector<std::int64_t>{-2, 3}));
}

TEST_F(MergedLogsTest, a_clock_that_was_ahead_has_no_part_in_what_comes_after_the_next_cut) {
  merged.begin({});
  append(*decisions, 0, decision_at(3'600'000));
  append(*events, 0, event_at(1));
  merged.advance(merged.tip().value());
  EXPECT_EQ(take_all(), (std::vector<std::int64_t>{1, -3'600'000}));
  append(*decisions, 0, decision_at(5));
  append(*events, 0, event_at(6));
  append(*events, 1, event_at(4));
  merged.advance(merged.tip().value());
  EXPECT_EQ(take_all(), (std::vector<std::int64_t>{4, -5, 6}));
}

}  // namespace
}  // namespace marquee::serving
