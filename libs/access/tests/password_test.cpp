#include "marquee/access/password.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <ctime>
#include <future>
#include <thread>

namespace marquee::access {
namespace {

constexpr PasswordCost kCheap{.passes = 1, .memory_bytes = 8 << 20};

TEST(Password, is_right_only_where_every_byte_is) {
  const auto hash = hash_password("correct horse battery", kCheap);
  ASSERT_TRUE(hash) << hash.error().message;
  EXPECT_TRUE(hash->starts_with("$argon2id$"));
  EXPECT_TRUE(verify_password("correct horse battery", *hash, kCheap));
  EXPECT_FALSE(verify_password("correct horse batterY", *hash, kCheap));
  EXPECT_FALSE(verify_password("correct horse battery ", *hash, kCheap));
  EXPECT_FALSE(verify_password("", *hash, kCheap));
}

TEST(Password, has_another_hash_each_time) {
  EXPECT_NE(*hash_password("correct horse battery", kCheap), *hash_password("correct horse battery", kCheap));
}

TEST(Password, is_never_right_of_an_account_without_one) {
  EXPECT_FALSE(verify_password("", "", kCheap));
  EXPECT_FALSE(verify_password("correct horse battery", "", kCheap));
  EXPECT_FALSE(verify_password("correct horse battery", "no hash", kCheap));
}

TEST(Password, takes_as_long_for_an_unknown_name_as_for_a_known_one) {
  const auto hash = *hash_password("correct horse battery", kCheap);
  // Of the processor, which others have their share of.
  const auto cpu_seconds = [] {
    timespec now{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
  };
  const auto time = [&](const std::string& against) {
    double best = 1e9;
    for (int i = 0; i < 9; ++i) {
      const double begin = cpu_seconds();
      std::ignore = verify_password("wrong horse battery", against, kCheap);
      best = std::min(best, cpu_seconds() - begin);
    }
    return best;
  };
  const double known = time(hash), unknown = time("");
  EXPECT_LT(std::abs(known - unknown), 0.5 * known) << known << " s, " << unknown << " s";
}

TEST(Password, tells_a_hash_of_another_cost) {
  const auto hash = *hash_password("correct horse battery", kCheap);
  EXPECT_FALSE(has_other_cost(hash, kCheap));
  EXPECT_TRUE(has_other_cost(hash, {.passes = 2, .memory_bytes = 8 << 20}));
}

TEST(Password, must_be_long_and_no_name) {
  EXPECT_TRUE(check_password("twelve bytes", "priya"));
  EXPECT_FALSE(check_password("eleven byte", "priya"));
  EXPECT_FALSE(check_password(std::string(257, 'a') + "b", "priya"));
  EXPECT_FALSE(check_password("aaaaaaaaaaaaaaaa", "priya"));
  EXPECT_FALSE(check_password("priya@campus.example", "priya@campus.example"));
}

TEST(PasswordQueue, does_one_at_a_time_and_lets_only_so_much_wait) {
  std::promise<void> begun, go_on;
  std::atomic<int> running = 0, most = 0, done = 0;
  {
    PasswordQueue queue(3);
    const auto work = [&] {
      most = std::max(most.load(), ++running);
      --running;
      ++done;
    };
    ASSERT_TRUE(queue.submit([&] {
      begun.set_value();
      go_on.get_future().wait();
      work();
    }));
    begun.get_future().wait();
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(queue.submit(work));
    EXPECT_FALSE(queue.submit(work));
    std::promise<void> last;
    go_on.set_value();
    while (!queue.submit([&] { last.set_value(); })) std::this_thread::yield();
    last.get_future().wait();
  }
  EXPECT_EQ(done, 4);
  EXPECT_EQ(most, 1);
}

TEST(PasswordQueue, goes_on_after_work_that_fails) {
  PasswordQueue queue;
  ASSERT_TRUE(queue.submit([] { throw std::runtime_error("no"); }));
  std::promise<void> done;
  ASSERT_TRUE(queue.submit([&] { done.set_value(); }));
  EXPECT_EQ(done.get_future().wait_for(std::chrono::seconds(30)), std::future_status::ready);
}

}  // namespace
}  // namespace marquee::access
