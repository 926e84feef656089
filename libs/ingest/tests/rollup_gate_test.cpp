#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <future>
#include <thread>

#include "marquee/ingest/rollup.h"

namespace marquee::ingest {
namespace {

TEST(RollupGate, lets_inserts_in_together_and_a_rebuild_in_alone) {
  const auto opened = RollupGate::open({});
  ASSERT_TRUE(opened) << opened.error().message;
  RollupGate& gate = **opened;
  std::atomic<int> inserts{0};
  std::atomic<bool> rebuilding{false};
  std::atomic<int> overlaps{0};
  std::atomic<int> rebuilds{0};
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 3; ++i) {
      threads.emplace_back([&](std::stop_token stop) {
        while (!stop.stop_requested()) {
          const auto pass = gate.share();
          ++inserts;
          if (rebuilding) ++overlaps;
          --inserts;
        }
      });
    }
    // With inserts coming in without a pause, each rebuild still gets its turn.
    for (int i = 0; i < 20; ++i) {
      const auto pass = gate.close();
      ASSERT_TRUE(pass);
      rebuilding = true;
      if (inserts != 0) ++overlaps;
      rebuilding = false;
      ++rebuilds;
    }
  }
  EXPECT_EQ(overlaps, 0);
  EXPECT_EQ(rebuilds, 20);
}

TEST(RollupGate, holds_between_two_that_share_a_directory) {
  const auto directory = std::filesystem::temp_directory_path() / ("rollup-gate-" + std::to_string(::getpid()));
  std::filesystem::create_directories(directory);
  const auto first = RollupGate::open(directory.string());
  const auto second = RollupGate::open(directory.string());
  ASSERT_TRUE(first && second);
  std::future<void> entered;
  {
    const auto pass = (*first)->close();
    ASSERT_TRUE(pass);
    entered = std::async(std::launch::async, [&] { EXPECT_TRUE((*second)->share()); });
    EXPECT_EQ(entered.wait_for(std::chrono::milliseconds(50)), std::future_status::timeout);
  }
  entered.get();
  std::filesystem::remove_all(directory);
}

TEST(RollupGate, says_where_its_files_cannot_be_made) {
  const auto gate = RollupGate::open("/dev/null/at/all");
  ASSERT_FALSE(gate);
  EXPECT_NE(gate.error().message.find("/dev/null/at/all"), std::string::npos);
}

}  // namespace
}  // namespace marquee::ingest
