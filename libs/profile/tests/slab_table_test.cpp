#include "slab_table.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <atomic>
#include <list>
#include <map>
#include <random>
#include <thread>

namespace marquee::profile {
namespace {

SlabValue filled(std::uint64_t with) {
  SlabValue value;
  value.fill(with);
  return value;
}

RC_GTEST_PROP(SlabTable, is_a_map_in_the_order_of_changes, ()) {
  // Few keys and many of one home, so that probe chains are long and removals move entries.
  SlabTable table(24);
  std::list<std::pair<std::uint64_t, std::uint64_t>> model;
  const auto find = [&](std::uint64_t key) {
    return std::ranges::find(model, key, &std::pair<std::uint64_t, std::uint64_t>::first);
  };
  for (std::uint64_t step = 1; step <= 400; ++step) {
    const auto key = *rc::gen::inRange<std::uint64_t>(1, 60);
    const auto found = find(key);
    switch (*rc::gen::inRange(0, 4)) {
      case 0:
        RC_ASSERT(table.erase(key) == (found != model.end()));
        if (found != model.end()) model.erase(found);
        break;
      case 1:
        table.touch(key);
        if (found != model.end()) model.splice(model.end(), model, found);
        break;
      default:
        if (found == model.end() && table.size() == table.capacity()) {
          RC_ASSERT(table.first_key() == model.front().first);
          RC_ASSERT(table.erase(model.front().first));
          model.pop_front();
        }
        table.put(key, filled(step));
        if (const auto again = find(key); again != model.end()) model.erase(again);
        model.emplace_back(key, step);
    }
    RC_ASSERT(table.size() == model.size());
  }
  for (std::uint64_t key = 1; key < 60; ++key) {
    SlabValue value;
    const auto found = find(key);
    RC_ASSERT(table.read(key, value) == (found != model.end()));
    if (found != model.end()) RC_ASSERT(value == filled(found->second));
  }
  auto expected = model.begin();
  table.for_each([&](std::uint64_t key, const SlabValue& value) {
    RC_ASSERT(key == expected->first);
    RC_ASSERT(value == filled(expected->second));
    ++expected;
  });
}

/// Readers beside a writer that changes, removes and puts back. Keys 1 to 8 are never removed: a reader that misses
/// one, or sees half a value or one that goes back, fails.
TEST(SlabTable, gives_readers_whole_and_ever_newer_values_while_entries_move) {
  constexpr std::uint64_t kKept = 8, kKeys = 40;
  SlabTable table(kKeys);
  for (std::uint64_t key = 1; key <= kKept; ++key) table.put(key, filled(key << 32));
  std::atomic<bool> is_done = false;
  std::atomic<std::uint64_t> reads = 0, faults = 0;
  std::vector<std::thread> readers;
  for (unsigned seed = 1; seed <= 3; ++seed) {
    readers.emplace_back([&, seed] {
      std::mt19937_64 random(seed);
      std::map<std::uint64_t, std::uint64_t> last;
      while (!is_done.load()) {
        const std::uint64_t key = random() % kKeys + 1;
        SlabValue value;
        const bool is_there = table.read(key, value);
        reads.fetch_add(1);
        if (!is_there) {
          if (key <= kKept) faults.fetch_add(1);
          continue;
        }
        if (value != filled(value[0]) || value[0] >> 32 != key || value[0] < last[key]) faults.fetch_add(1);
        last[key] = value[0];
      }
    });
  }
  std::mt19937_64 random(99);
  for (std::uint64_t step = 1; step <= 200'000 || reads.load() < 10'000; ++step) {
    const std::uint64_t key = random() % kKeys + 1;
    if (key > kKept && random() % 2 == 0) {
      table.erase(key);
    } else {
      table.put(key, filled(key << 32 | step));
    }
  }
  is_done = true;
  for (auto& reader : readers) reader.join();
  EXPECT_EQ(faults.load(), 0U) << "of " << reads.load();
}

}  // namespace
}  // namespace marquee::profile
