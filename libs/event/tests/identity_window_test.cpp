#include "marquee/event/identity_window.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <deque>

namespace marquee::event {
namespace {

TEST(IdentityWindow, knows_a_repeat_and_forgets_the_oldest_first) {
  IdentityWindow window(2);
  EXPECT_TRUE(window.insert(10));
  EXPECT_TRUE(window.insert(20));
  EXPECT_FALSE(window.insert(10));  // A repeat does not renew it ...
  EXPECT_TRUE(window.insert(30));   // ... so 10 goes here.
  EXPECT_FALSE(window.contains(10));
  EXPECT_TRUE(window.contains(20));
  EXPECT_TRUE(window.contains(30));
}

TEST(IdentityWindow, takes_what_it_was_told_to_forget_as_new_and_keeps_the_others_in_their_order) {
  IdentityWindow window(4);
  for (std::uint64_t identity = 1; identity <= 6; ++identity) EXPECT_TRUE(window.insert(identity));
  window.forget(4);
  window.forget(4);
  window.forget(99);
  EXPECT_EQ(window.size(), 3U);
  EXPECT_TRUE(window.insert(4));  // 3, 5, 6, 4
  EXPECT_TRUE(window.insert(7));
  EXPECT_FALSE(window.contains(3));
  EXPECT_TRUE(window.insert(8));
  EXPECT_FALSE(window.contains(5));
  for (const std::uint64_t identity : {6, 4, 7, 8}) EXPECT_TRUE(window.contains(identity)) << identity;
}

RC_GTEST_PROP(IdentityWindow, behaves_like_a_queue_with_search, ()) {
  const auto capacity = *rc::gen::inRange<std::size_t>(1, 2'000);
  // Few distinct values, and many that share low bits, so that probe chains grow, wrap and close again.
  const auto values = *rc::gen::container<std::vector<std::uint64_t>>(
      4'000, rc::gen::map(rc::gen::pair(rc::gen::inRange<std::uint64_t>(0, 64), rc::gen::inRange<std::uint64_t>(0, 64)),
                          [](const auto& pair) { return (pair.first << 32) | (1'020 + pair.second % 8); }));
  IdentityWindow window(capacity);
  std::deque<std::uint64_t> model;
  for (const std::uint64_t value : values) {
    if (value % 16 == 0) {
      window.forget(value);
      std::erase(model, value);
    }
    const bool is_new = std::ranges::find(model, value) == model.end();
    RC_ASSERT(window.contains(value) == !is_new);
    RC_ASSERT(window.insert(value) == is_new);
    if (is_new) model.push_back(value);
    if (model.size() > capacity) model.pop_front();
    RC_ASSERT(window.size() == model.size());
  }
  for (const std::uint64_t value : model) RC_ASSERT(window.contains(value));
  std::deque<std::uint64_t> visited;
  window.for_each([&](std::uint64_t identity) { visited.push_back(identity); });
  RC_ASSERT(visited == model);
}

}  // namespace
}  // namespace marquee::event
