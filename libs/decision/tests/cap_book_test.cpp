#include "marquee/decision/cap_book.h"

#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <thread>

#include "moments.h"
#include "random_catalog.h"

namespace marquee::decision {
namespace {

std::shared_ptr<const Inventory> two_campaigns_of_one_advertiser() {
  std::vector<Campaign> campaigns(2);
  campaigns[0] = {.id = "a", .status = Status::active, .advertiser = "acme", .ads = {{.id = "a1"}, {.id = "a2"}}};
  campaigns[0].caps = {{.scope = CapScope::campaign, .count = 3, .window_ms = 3'600'000},
                       {.scope = CapScope::ad, .count = 2, .window_ms = 60'000}};
  campaigns[1] = {.id = "b", .status = Status::active, .advertiser = "acme", .ads = {{.id = "b1"}}};
  campaigns[1].caps = {{.scope = CapScope::advertiser, .count = 4, .window_ms = 3'600'000}};
  return Inventory::compile(campaigns, {});
}

TEST(CapBook, HoldsEachCapInItsWindow) {
  const auto inventory = two_campaigns_of_one_advertiser();
  CapBook book(kReserve);
  const auto show = [&](const char* ad, std::int64_t at) {
    if (!book.reserve(7, *inventory->find_row(ad), at)) return false;
    book.count(7, *inventory->find_row(ad), at, at);
    return true;
  };
  EXPECT_TRUE(show("a1", kNow));
  EXPECT_TRUE(show("a1", kNow + 1));
  EXPECT_FALSE(show("a1", kNow + 2)) << "twice a minute";
  EXPECT_TRUE(show("a2", kNow + 3));
  EXPECT_FALSE(show("a2", kNow + 4)) << "three of the campaign an hour";
  EXPECT_TRUE(show("b1", kNow + 5));
  EXPECT_FALSE(show("b1", kNow + 6)) << "four of the advertiser an hour, of whichever campaign";
  EXPECT_FALSE(show("a1", kNow + 3'599'999));
  EXPECT_TRUE(show("a1", kNow + 3'600'000)) << "the first is an hour old";
  EXPECT_TRUE(book.reserve(8, *inventory->find_row("b1"), kNow + 6)) << "another user";
}

TEST(CapBook, LetsGoOfAReservationWhoseImpressionNeverCame) {
  const auto inventory = two_campaigns_of_one_advertiser();
  CapBook book(kReserve);
  const auto& ad = *inventory->find_row("a1");
  EXPECT_TRUE(book.reserve(7, ad, kNow));
  EXPECT_TRUE(book.reserve(7, ad, kNow));
  EXPECT_FALSE(book.reserve(7, ad, kNow));
  EXPECT_FALSE(book.reserve(7, ad, kNow + 59'999));
  EXPECT_TRUE(book.reserve(7, ad, kNow + 60'000)) << "out of the window of the ad's cap";
  book.release(7, ad, kNow + 60'000);
  std::vector<Stamp> stamps;
  book.read(7, kNow + kReserve.count(), stamps);
  EXPECT_TRUE(stamps.empty());
}

TEST(CapBook, HoldsWhenManyReserveAtOnce) {
  const auto inventory = two_campaigns_of_one_advertiser();
  CapBook book(kReserve);
  std::atomic<int> taken = 0;
  std::vector<std::jthread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&] {
      for (int k = 0; k < 1'000; ++k) taken += book.reserve(7, *inventory->find_row("b1"), kNow + k) ? 1 : 0;
    });
  threads.clear();
  EXPECT_EQ(taken, 4);
}

TEST(CapBook, IsRestoredFromWhatItTold) {
  const auto inventory = two_campaigns_of_one_advertiser();
  CapBook book(kReserve), again(kReserve);
  const auto& ad = *inventory->find_row("b1");
  for (int i = 0; i < 4; ++i) {
    EXPECT_TRUE(book.reserve(7, ad, kNow + i));
    if (i < 3) book.count(7, ad, kNow + i, kNow + i);
  }
  book.for_each(
      [&](std::uint64_t user, std::span<const Stamp> stamps) { again.restore(user, {stamps.begin(), stamps.end()}); });
  EXPECT_TRUE(again.reserve(7, ad, kNow + 10)) << "the fourth was never seen";
  EXPECT_FALSE(again.reserve(7, ad, kNow + 11));
  again.erase(7, kNow + 11);
  EXPECT_TRUE(again.reserve(7, ad, kNow + 12));
}

TEST(CapBook, ForgetsWhoWasErasedAlsoWhereItIsToldOfThemLater) {
  const auto inventory = two_campaigns_of_one_advertiser();
  CapBook book(kReserve);
  const auto& ad = *inventory->find_row("b1");
  const auto stamps = [&](std::int64_t user) {
    std::vector<Stamp> all;
    book.read(static_cast<std::uint64_t>(user), kNow + 10, all);
    return all.size();
  };
  book.count(7, ad, kNow, kNow);
  ASSERT_GT(stamps(7), 0U);
  book.erase(7, kNow + 1);
  EXPECT_EQ(stamps(7), 0U);
  // A file of before, as another process left it, with what came after.
  const auto target = ad.counts_as.front().target;
  book.restore(7, {{.target = target, .time_ms = kNow}, {.target = target, .time_ms = kNow + 2}});
  EXPECT_EQ(stamps(7), 1U);
  EXPECT_TRUE(book.is_erased(7, kNow + 1));
  EXPECT_FALSE(book.is_erased(7, kNow + 2));
  EXPECT_FALSE(book.is_erased(8, kNow));
  // Who heard of it already keeps what has come since.
  book.erase(7, kNow + 1);
  EXPECT_EQ(stamps(7), 1U);
  book.forget(kNow + 5);
  EXPECT_FALSE(book.is_erased(7, kNow)) << "no cap looks back so far";
}

}  // namespace
}  // namespace marquee::decision
