#include "marquee/notify/backoff.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace marquee::notify {
namespace {

TEST(Backoff, doubles_up_to_the_longest_wait) {
  const Backoff backoff{.first = Millis(1'000), .longest = Millis(10'000)};
  std::vector<std::int64_t> waits;
  for (int tries = 1; tries <= 6; ++tries) waits.push_back(wait_after(backoff, tries, 0).count());
  EXPECT_EQ(waits, (std::vector<std::int64_t>{1'000, 2'000, 4'000, 8'000, 10'000, 10'000}));
  EXPECT_EQ(wait_after(backoff, 3, 0.5).count(), 3'000);
  EXPECT_EQ(wait_after(backoff, 1'000'000, 0).count(), 10'000);
}

TEST(Backoff, waits_as_long_as_the_receiver_asks_for_but_not_for_ever) {
  const Backoff backoff{.first = Millis(1'000), .longest = Millis(10'000)};
  EXPECT_EQ(wait_after(backoff, 1, 0, Millis(7'000)).count(), 7'000);
  EXPECT_EQ(wait_after(backoff, 1, 0, Millis(10)).count(), 1'000);
  EXPECT_EQ(wait_after(backoff, 1, 0, Millis(86'400'000)).count(), 10'000);
}

TEST(Backoff, lies_between_half_and_all_of_the_wait) {
  rc::check([](unsigned short permille) {
    const Backoff backoff{.first = Millis(*rc::gen::inRange(1, 100'000)),
                          .longest = Millis(*rc::gen::inRange(1, 1'000'000))};
    const int tries = *rc::gen::inRange(1, 100);
    const auto full = wait_after(backoff, tries, 0);
    const auto wait = wait_after(backoff, tries, (permille % 1000) / 1000.0);
    RC_ASSERT(wait <= full);
    RC_ASSERT(wait * 2 >= full);
    RC_ASSERT(full <= backoff.longest);
  });
}

}  // namespace
}  // namespace marquee::notify
