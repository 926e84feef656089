#include "slab_table.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <array>
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

/// Keys that all come to the same place of a table of that capacity, so that each removal moves the entries behind it.
std::vector<std::uint64_t> keys_of_one_home(std::size_t count, unsigned index_bits) {
  std::vector<std::uint64_t> keys;
  for (std::uint64_t key = 1; keys.size() < count; ++key)
    if (key * 0x9E3779B97F4A7C15ULL >> (64 - index_bits) == 5) keys.push_back(key);
  return keys;
}

/// Readers beside a writer that changes, removes and puts back. A reader that misses a key that is there, or sees half
/// a value, another key's, or one that goes back, fails.
TEST(SlabTable, gives_readers_whole_and_ever_newer_values_while_entries_move) {
  constexpr std::size_t kKeys = 24;
  const auto keys = keys_of_one_home(kKeys, 6);
  SlabTable table(kKeys);
  std::array<std::atomic<std::uint64_t>, kKeys> absences{};  // Odd while the key is not there.
  for (std::size_t i = 0; i < kKeys; ++i) table.put(keys[i], filled(i << 32));
  std::atomic<bool> is_done = false;
  std::atomic<std::uint64_t> reads = 0, faults = 0;
  std::vector<std::thread> readers;
  for (unsigned seed = 1; seed <= 3; ++seed) {
    readers.emplace_back([&, seed] {
      std::mt19937_64 random(seed);
      std::array<std::uint64_t, kKeys> last{};
      while (!is_done.load()) {
        const std::size_t i = random() % kKeys;
        const auto before = absences[i].load();
        SlabValue value;
        const bool is_there = table.read(keys[i], value);
        if (!is_there && before % 2 == 0 && absences[i].load() == before) faults.fetch_add(1);
        reads.fetch_add(1);
        if (!is_there) continue;
        if (value != filled(value[0]) || value[0] >> 32 != i || value[0] < last[i]) faults.fetch_add(1);
        last[i] = value[0];
      }
    });
  }
  std::mt19937_64 random(99);
  for (std::uint64_t step = 1; step <= 300'000 || reads.load() < 300'000; ++step) {
    const std::size_t i = random() % kKeys;
    if (random() % 2 == 0) {
      absences[i].fetch_add(1);
      table.erase(keys[i]);
      table.put(keys[i], filled(i << 32 | (step & 0xFFFFFFFF)));
      absences[i].fetch_add(1);
    } else {
      table.put(keys[i], filled(i << 32 | (step & 0xFFFFFFFF)));
    }
  }
  is_done = true;
  for (auto& reader : readers) reader.join();
  EXPECT_EQ(faults.load(), 0U) << "of " << reads.load();
}

}  // namespace
}  // namespace marquee::profile
