#include "marquee/simulate/simulated_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "marquee/event/event.h"

namespace marquee::simulate {
namespace {

constexpr std::uint64_t kEvents = 40'000;

class SimulatedLogs : public ::testing::Test {
 protected:
  SimulatedLogs() {
    std::string pattern = std::filesystem::temp_directory_path() / "simulated-log-XXXXXX";
    options_.directory = ::mkdtemp(pattern.data());
    options_.events = kEvents;
    options_.partitions = 3;
    options_.start_ms = 1'768'176'000'000;
    options_.students = 500;
    options_.site_id = "campus";
  }
  ~SimulatedLogs() override { std::filesystem::remove_all(options_.directory); }

  [[nodiscard]] std::unique_ptr<log::EventLog> opened() const {
    auto log = open_simulated_log(options_);
    EXPECT_TRUE(log) << log.error().message;
    return std::move(*log);
  }

  SimulatedLogOptions options_;
};

std::vector<std::string> read_all(log::EventLog& log, log::Partition partition, std::size_t step) {
  std::vector<std::string> all;
  while (all.size() < log.end(partition)) {
    const auto records = log.read(partition, all.size(), step, 1 << 20);
    EXPECT_TRUE(records) << records.error().message;
    EXPECT_EQ(records->first, all.size());
    EXPECT_FALSE(records->records.empty());
    for (const auto record : records->records) all.emplace_back(record);
  }
  return all;
}

TEST_F(SimulatedLogs, give_the_same_record_at_an_offset_wherever_reading_began) {
  const auto expected = read_all(*opened(), 1, 16'384);
  EXPECT_EQ(read_all(*opened(), 1, 777), expected);
  const auto log = opened();
  for (const log::Offset offset : {9'000U, 4'096U, 13'332U, 4'095U, 0U}) {
    const auto records = log->read(1, offset, 3, 1 << 20);
    ASSERT_TRUE(records);
    EXPECT_EQ(records->records[0], expected[offset]) << offset;
  }
  EXPECT_TRUE(log->read(1, log->end(1), 10, 100)->records.empty());
}

TEST_F(SimulatedLogs, hold_every_event_once_of_students_who_stay_who_they_are) {
  const auto log = opened();
  std::set<std::uint64_t> identities;
  std::map<std::uint64_t, std::string> colleges;
  std::set<std::uint64_t> users_of_first;
  std::size_t shared = 0;
  for (log::Partition p = 0; p < log->partitions(); ++p) {
    std::int64_t first_ms = 0;
    for (const auto& record : read_all(*log, p, 16'384)) {
      const auto event = event::decode(record);
      ASSERT_TRUE(event) << event.error().message;
      EXPECT_EQ(event->site_id, "campus");
      identities.insert(event::identity(*event));
      if (first_ms == 0) first_ms = event->event_time_ms;
      if (event->user_key == 0) continue;
      if (!event->college_id.empty()) {
        EXPECT_EQ(colleges.try_emplace(event->user_key, event->college_id).first->second, event->college_id);
      }
      if (p == 0) users_of_first.insert(event->user_key);
      if (p == 1 && users_of_first.contains(event->user_key)) ++shared;
    }
    // So quiet a month has a session in two hours.
    const std::int64_t begin_ms = options_.start_ms + std::int64_t{p} * 10 * 86'400'000;
    EXPECT_NEAR(static_cast<double>(first_ms - begin_ms), 0, 43'200'000) << p;
  }
  EXPECT_EQ(identities.size(), kEvents);
  EXPECT_GT(shared, 1'000U);
}

TEST_F(SimulatedLogs, remember_what_was_planned_and_confirmed) {
  {
    const auto log = opened();
    ASSERT_TRUE(log->plan({{0, {100, 350}}, {2, {0, 7}}}, 42));
    ASSERT_TRUE(log->confirm(2, 7));
  }
  const auto log = opened();
  const auto planned = log->progress(0), confirmed = log->progress(2), untouched = log->progress(1);
  EXPECT_EQ(planned->next, 100U);
  EXPECT_EQ(planned->plan, (log::Range{100, 350}));
  EXPECT_EQ(planned->planner, 42U);
  EXPECT_EQ(confirmed->next, 7U);
  EXPECT_EQ(confirmed->plan, std::nullopt);
  EXPECT_EQ(untouched->next, 0U);
}

TEST_F(SimulatedLogs, say_what_is_wrong) {
  std::ofstream(options_.directory + "/partition-1") << "1 2";
  const auto torn = open_simulated_log(options_);
  ASSERT_FALSE(torn);
  EXPECT_THAT(torn.error().message, ::testing::HasSubstr("partition-1: expected four numbers"));
  std::filesystem::remove(options_.directory + "/partition-1");
  options_.events = 2;
  EXPECT_FALSE(open_simulated_log(options_));
  options_.events = kEvents;
  std::optional<bool> is_taken;
  opened()->append({}, [&](const Result<void>& done) { is_taken = done.has_value(); });
  EXPECT_EQ(is_taken, false);
}

}  // namespace
}  // namespace marquee::simulate
