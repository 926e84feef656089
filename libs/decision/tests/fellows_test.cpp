// Several deciders of one campaign that hear of each other through a log, each with a delay of its own.
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <memory>
#include <vector>

#include "marquee/base/zone.h"
#include "marquee/decision/account.h"
#include "moments.h"
#include "random_catalog.h"

namespace marquee::decision {
namespace {

constexpr std::int64_t kLongestDelay = 5'000, kReserveMs = 300'000, kFellowStep = 250;

class Group {
 public:
  Group(const Campaign& campaign, std::uint32_t count, std::uint64_t seed, bool knows = true)
      : campaign_(campaign), random_(seed), knows_(knows) {
    row_.campaign = &campaign_;
    row_.zone = find_zone("UTC");
    for (std::uint32_t i = 0; i < count; ++i) {
      auto& one = nodes_.emplace_back();
      one.weight = 1 + static_cast<double>(random_.below(9));
      begin(one);
    }
    settle();
  }

  /// What happens in a step; `requests` for all of them together, `view_rate` of which are seen.
  void step(std::int64_t now, double requests, double view_rate) {
    std::erase_if(coming_, [&](const auto& one) {
      if (one.first > now) return false;
      log_.push_back({.time = now, .reserved = one.second, .by = 0});
      ++delivered;
      return true;
    });
    double weights = 0;
    for (const auto& node : nodes_) weights += node.weight;
    for (auto& node : nodes_) {
      if (node.account == nullptr) continue;
      if (now >= node.redraw) {
        node.delay = static_cast<std::int64_t>(random_.below(kLongestDelay));
        node.redraw = now + 20'000;
      }
      read(node, now);
      double left = requests * node.weight / weights;
      for (; left > 0; left -= 1)
        if (random_.chance(std::min(1.0, left))) ask(node, now, view_rate);
    }
  }

  /// What is delivered or reserved, in truth.
  std::uint64_t committed(std::int64_t now) {
    while (!lapsing_.empty() && lapsing_.front() <= now - kReserveMs) lapsing_.pop_front();
    return delivered + coming_.size() + lapsing_.size();
  }

  void kill(std::size_t i) { nodes_[i].account.reset(); }
  /// Knows what the log says, and nothing else.
  void revive(std::size_t i, std::int64_t now) {
    begin(nodes_[i]);
    nodes_[i].delay = 0;
    read(nodes_[i], now);
  }
  /// They hear who is there.
  void settle() {
    std::uint32_t count = 0, index = 0;
    for (const auto& node : nodes_) count += node.account ? 1 : 0;
    for (auto& node : nodes_)
      if (node.account) *node.fellows = knows_ ? Fellows{.count = count, .index = index++} : Fellows{};
  }

  std::uint64_t delivered = 0;

 private:
  struct Entry {
    std::int64_t time = 0, reserved = 0;
    int by = 0;  ///< Whose decision; 0: an impression.
  };
  struct Node {
    std::unique_ptr<SharedFellows> fellows = std::make_unique<SharedFellows>();
    std::unique_ptr<Account> account;
    int id = 0;  ///< Another after each begin.
    std::size_t read = 0;
    std::int64_t delay = 0, redraw = 0;
    double weight = 1;
  };

  void begin(Node& node) {
    node.id = ++begun_;
    node.account = std::make_unique<Account>(Millis(kReserveMs), node.fellows.get());
    node.read = 0;
  }

  void read(Node& node, std::int64_t now) {
    for (; node.read < log_.size() && log_[node.read].time <= now - node.delay; ++node.read) {
      const auto& entry = log_[node.read];
      if (entry.by == 0)
        node.account->count_impression(row_.zone, entry.reserved, entry.time,
                                       cost_of_impression(campaign_, campaign_.bid_micros));
      else if (entry.by == node.id)
        node.account->see_own();
      else
        node.account->take_other(entry.reserved, now);
    }
  }

  void ask(Node& node, std::int64_t now, double view_rate) {
    if (node.account->gate(row_, now) != Because::chosen || !node.account->reserve(row_, now)) return;
    log_.push_back({.time = now, .reserved = now, .by = node.id});
    if (random_.chance(view_rate))
      coming_.emplace_back(now + 1 + static_cast<std::int64_t>(random_.below(5'000)), now);
    else
      lapsing_.push_back(now);
  }

  const Campaign campaign_;
  CampaignRow row_;
  RandomCatalog random_;
  const bool knows_;
  int begun_ = 0;
  std::deque<Node> nodes_;
  std::vector<Entry> log_;
  std::vector<std::pair<std::int64_t, std::int64_t>> coming_;  ///< Impressions: when, of which reservation.
  std::deque<std::int64_t> lapsing_;                           ///< Reservations of ads that are never seen.
};

class Deciders : public ::testing::TestWithParam<std::uint32_t> {};

TEST_P(Deciders, SpreadADaysBudgetWithinTwoPercent) {
  const auto seed = test_seed();
  SCOPED_TRACE(testing::Message() << "MARQUEE_TEST_SEED=" << seed);
  constexpr std::uint64_t kBudget = 24'000;
  Group group({.daily = {.impressions = kBudget}}, GetParam(), seed);
  std::vector<std::uint64_t> by_hour;
  for (std::int64_t time = kMidnight; time < kMidnight + kDay; time += kFellowStep) {
    const auto hour = (time - kMidnight) / kHour;
    // One of them is killed for half an hour; the others hear of it ten seconds later, and of its return at once.
    const auto passed = time - kMidnight - 12 * kHour;
    if (GetParam() > 1 && passed == 0) group.kill(0);
    if (GetParam() > 1 && passed == kHour / 2) group.revive(0, time);
    if (passed == 10'000 || passed == kHour / 2) group.settle();
    const double a_second = hour >= 6 && hour < 10 ? 0 : hour >= 18 ? 3 : 1.5;
    group.step(time, a_second * kFellowStep / 1'000, 0.6);
    if ((time + kFellowStep - kMidnight) % kHour == 0) by_hour.push_back(group.delivered);
  }
  EXPECT_GE(group.delivered, kBudget * 98 / 100);
  EXPECT_LE(group.delivered, kBudget * 102 / 100);
  EXPECT_NEAR(static_cast<double>(by_hour[4]), 5'000, kBudget * 0.02);
  EXPECT_NEAR(static_cast<double>(by_hour[17]), 18'000, kBudget * 0.02) << "what the lull left is made up";
}

/// Beyond the budget, and the most that it may be.
struct Overrun {
  double is = 0, bound = 0;
};
Overrun rush(std::uint32_t count, std::uint64_t seed, bool knows) {
  constexpr std::uint64_t kBudget = 5'000;
  Group group({.daily = {.impressions = kBudget}, .pacing = Pacing::none}, count, seed, knows);
  std::deque<std::uint64_t> committed;
  std::uint64_t most = 0;
  double left = 0;
  for (std::int64_t time = kMidnight; time < kMidnight + 60'000; time += kFellowStep) {
    group.step(time, 250.0 * kFellowStep / 1'000, 1);
    most = std::max(most, group.committed(time));
    committed.push_back(group.committed(time));
    if (committed.size() > static_cast<std::size_t>(2 * kLongestDelay / kFellowStep) + 1) committed.pop_front();
    // What was left twice the longest delay before the last of it went.
    if (most >= kBudget && left == 0) left = static_cast<double>(kBudget - committed.front());
  }
  EXPECT_EQ(most, group.delivered);
  EXPECT_GE(most, kBudget - count) << "all of it is served";
  return {.is = static_cast<double>(most) - kBudget, .bound = left * (count - 1) / count};
}

TEST_P(Deciders, ExceedABudgetByNoMoreThanTheirPartsOfWhatWasLeft) {
  const auto seed = test_seed();
  SCOPED_TRACE(testing::Message() << "MARQUEE_TEST_SEED=" << seed);
  double without_division = 0, with_division = 0;
  for (std::uint64_t i = 0; i < 20; ++i) {
    const auto overrun = rush(GetParam(), seed + i, true);
    EXPECT_LE(overrun.is, overrun.bound);
    with_division += overrun.is;
    without_division += rush(GetParam(), seed + i, false).is;
  }
  if (GetParam() == 1)
    EXPECT_EQ(with_division, 0);
  else
    EXPECT_LT(with_division, without_division / 2) << "else dividing is of no use";
}

INSTANTIATE_TEST_SUITE_P(OneToEight, Deciders, ::testing::Values(1, 2, 3, 5, 8));

TEST(Fellows, ShareTheLastOfABudgetByTurns) {
  Campaign campaign{.daily = {.impressions = 10}, .pacing = Pacing::none};
  CampaignRow row;
  row.campaign = &campaign;
  row.zone = find_zone("UTC");
  for (std::uint32_t count = 1; count <= 8; ++count) {
    std::uint32_t taken = 0;
    for (std::uint32_t index = 0; index < count; ++index) {
      const SharedFellows fellows{Fellows{.count = count, .index = index}};
      Account account{Millis(kReserveMs), &fellows};
      while (account.reserve(row, kMidnight)) ++taken;
    }
    EXPECT_EQ(taken, 10U) << count << " that have not heard of each other's yet";
  }
}

TEST(Fellows, FindTheCountsOfADayAgainAfterItsClockWasSetAheadAndBack) {
  Campaign campaign{.daily = {.impressions = 10}, .pacing = Pacing::none};
  CampaignRow row;
  row.campaign = &campaign;
  row.zone = find_zone("UTC");
  Account account{Millis(kReserveMs)};
  for (int i = 0; i < 10; ++i) {
    ASSERT_TRUE(account.reserve(row, kMidnight));
    account.count_impression(row.zone, kMidnight, kMidnight + 1, 0);
  }
  EXPECT_EQ(account.gate(row, kMidnight + 2), Because::budget);
  EXPECT_EQ(account.gate(row, kMidnight + kDay), Because::chosen) << "a day later";
  EXPECT_EQ(account.gate(row, kMidnight + 3), Because::budget);
  // Another's clock is ahead, and tells of an impression of tomorrow.
  account.count_impression(row.zone, kMidnight + kDay, kMidnight + kDay, 0);
  EXPECT_EQ(account.gate(row, kMidnight + 4), Because::budget);
}

}  // namespace
}  // namespace marquee::decision
