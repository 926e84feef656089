#include "marquee/profile/profile_feeder.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>

#include "fed_store.h"
#include "marquee/log/memory_log.h"
#include "profile_events.h"

namespace marquee::profile {
namespace {

using testing::append;
using testing::comes_true;
using testing::Crowd;
using testing::Directory;
using testing::kCapacity;
using testing::kNewYear;
using testing::make_event;
using testing::open_feeder;
using testing::open_log;
using testing::permission;
using testing::Steady;

/// `count` events of a crowd as the log has them, texts owned by the records.
void append_crowd(log::EventLog& log, Crowd& crowd, int count) {
  std::vector<event::Event> events;
  for (int i = 0; i < count; ++i) events.push_back(crowd.next());
  append(log, events);
}

TEST(ProfileFeeder, knows_an_event_within_a_second_of_its_append_to_the_real_log) {
  const Directory directory;
  const auto log = open_log(directory);
  const auto feeder = open_feeder(*log, directory);
  Steady::duration longest{};
  for (std::uint64_t user = 1; user <= 200; ++user) {
    const auto began = Steady::now();
    append(*log, {make_event(user, 1, event::Type::page_view, kNewYear)});
    ASSERT_TRUE(comes_true([&] { return feeder->store().read(permission(user)).has_value(); }));
    longest = std::max(longest, Steady::now() - began);
  }
  const auto ms = std::chrono::duration_cast<Millis>(longest).count();
  RecordProperty("longest_ms", std::to_string(ms));
  EXPECT_LT(ms, 1'000);
}

TEST(ProfileFeeder, goes_on_from_its_snapshot_and_the_rest_of_the_log) {
  const Directory directory;
  const auto log = open_log(directory);
  Crowd crowd(1, 500);
  {
    auto feeder = open_feeder(*log, directory);
    append_crowd(*log, crowd, 2'000);
    ASSERT_TRUE(comes_true([&] { return feeder->lag() == 0; }));
  }
  append_crowd(*log, crowd, 2'000);
  {
    auto feeder = open_feeder(*log, directory);
    EXPECT_GT(feeder->store().state().profiles, 0U) << "known before the log is read";
    append_crowd(*log, crowd, 2'000);
    ASSERT_TRUE(comes_true([&] { return feeder->lag() == 0; }));
  }
  const Directory other;
  {
    auto feeder = open_feeder(*log, other);
    ASSERT_TRUE(comes_true([&] { return feeder->lag() == 0; }));
  }
  EXPECT_TRUE(testing::bytes_of_file(directory.file("profiles/snapshot")) ==
              testing::bytes_of_file(other.file("profiles/snapshot")))
      << "what three runs made is not what one makes";
}

TEST(ProfileFeeder, reads_all_again_where_its_snapshot_is_damaged_or_of_another_log) {
  const Directory directory;
  std::string whole;
  {
    const auto log = open_log(directory);
    Crowd crowd(1, 100);
    append_crowd(*log, crowd, 1'000);
    {
      auto feeder = open_feeder(*log, directory);
      ASSERT_TRUE(comes_true([&] { return feeder->lag() == 0; }));
    }
    whole = testing::bytes_of_file(directory.file("profiles/snapshot"));
    std::filesystem::resize_file(directory.file("profiles/snapshot"), 1'000);
    {
      auto feeder = open_feeder(*log, directory);
      ASSERT_TRUE(comes_true([&] { return feeder->lag() == 0; }));
    }
    EXPECT_TRUE(testing::bytes_of_file(directory.file("profiles/snapshot")) == whole);
  }
  std::filesystem::remove_all(directory.file("log"));
  const auto log = open_log(directory);
  append(*log, {make_event(1, 1, event::Type::page_view, kNewYear)});
  auto feeder = open_feeder(*log, directory);
  ASSERT_TRUE(comes_true([&] { return feeder->lag() == 0; }));
  EXPECT_EQ(feeder->store().state().profiles, 1U);
}

TEST(ProfileFeeder, does_not_bring_back_who_was_erased) {
  const Directory directory;
  const auto log = open_log(directory);
  const auto id = permission(7).id().value;
  const std::string id_bytes(reinterpret_cast<const char*>(&id), sizeof id);
  {
    auto feeder = open_feeder(*log, directory);
    for (std::uint64_t user = 1; user <= 20; ++user)
      append(*log, {make_event(user, 1, event::Type::page_view, kNewYear)});
    ASSERT_TRUE(comes_true([&] { return feeder->lag() == 0; }));
    ASSERT_TRUE(feeder->save());
    ASSERT_NE(testing::bytes_of_file(directory.file("profiles/snapshot")).find(id_bytes), std::string::npos);
    std::filesystem::copy_file(directory.file("profiles/snapshot"), directory.file("earlier"));
    ASSERT_TRUE(feeder->erase("campus", 7));
    EXPECT_FALSE(feeder->store().read(permission(7)));
    EXPECT_EQ(testing::bytes_of_file(directory.file("profiles/snapshot")).find(id_bytes), std::string::npos);
  }
  const auto expect_erased = [&](const char* what) {
    auto feeder = open_feeder(*log, directory);
    ASSERT_TRUE(comes_true([&] { return feeder->lag() == 0; }));
    EXPECT_FALSE(feeder->store().read(permission(7))) << what;
    EXPECT_TRUE(feeder->store().read(permission(8))) << what;
  };
  expect_erased("with its snapshot");
  std::filesystem::remove(directory.file("profiles/snapshot"));
  expect_erased("from the log alone");
  std::filesystem::copy_file(directory.file("earlier"), directory.file("profiles/snapshot"),
                             std::filesystem::copy_options::overwrite_existing);
  expect_erased("with a snapshot of before, as a crash leaves it");
  // Who comes again is someone new.
  append(*log, {make_event(7, 2, event::Type::page_view, kNewYear + 9)});
  for (int run = 0; run < 2; ++run) {
    auto feeder = open_feeder(*log, directory);
    ASSERT_TRUE(comes_true([&] { return feeder->lag() == 0; }));
    const auto profile = feeder->store().read(permission(7));
    ASSERT_TRUE(profile);
    EXPECT_EQ(profile->first_seen(), kNewYear + 9);
  }
}

TEST(ProfileFeeder, drops_the_mark_of_one_erasure_from_its_file_and_keeps_the_others) {
  const Directory directory;
  const auto log = open_log(directory);
  const auto has_mark = [&](std::uint64_t user) {
    const auto id = permission(user).id().value;
    return testing::bytes_of_file(directory.file("profiles/erased"))
               .find(std::string(reinterpret_cast<const char*>(&id), sizeof id)) != std::string::npos;
  };
  {
    auto feeder = open_feeder(*log, directory);
    for (std::uint64_t user = 1; user <= 3; ++user)
      append(*log, {make_event(user, 1, event::Type::page_view, kNewYear)});
    ASSERT_TRUE(comes_true([&] { return feeder->lag() == 0; }));
    for (std::uint64_t user = 1; user <= 3; ++user) ASSERT_TRUE(feeder->erase("campus", user));
    EXPECT_TRUE(has_mark(2));
    ASSERT_TRUE(feeder->drop_mark("campus", 2));
    ASSERT_TRUE(feeder->drop_mark("campus", 77));  // Nobody's.
    EXPECT_FALSE(has_mark(2));
    ASSERT_TRUE(feeder->erase("campus", 4));  // Behind what is left.
  }
  EXPECT_FALSE(has_mark(2));
  for (const std::uint64_t user : {1, 3, 4}) EXPECT_TRUE(has_mark(user)) << user;
  const auto feeder = open_feeder(*log, directory);
  ASSERT_TRUE(comes_true([&] { return feeder->lag() == 0; }));
  for (std::uint64_t user = 1; user <= 3; ++user) EXPECT_FALSE(feeder->store().read(permission(user))) << user;
}

TEST(ProfileFeeder, cuts_off_an_erasure_that_was_being_written_and_refuses_a_damaged_file) {
  const Directory directory;
  const auto log = open_log(directory);
  {
    auto feeder = open_feeder(*log, directory);
    for (std::uint64_t user = 1; user <= 3; ++user) ASSERT_TRUE(feeder->erase("campus", user));
  }
  const auto size = std::filesystem::file_size(directory.file("profiles/erased"));
  std::filesystem::resize_file(directory.file("profiles/erased"), size - 5);
  open_feeder(*log, directory);
  EXPECT_EQ(std::filesystem::file_size(directory.file("profiles/erased")), size * 2 / 3);
  {
    std::FILE* file = std::fopen(directory.file("profiles/erased").c_str(), "r+b");
    std::fputc('x', file);
    std::fclose(file);
  }
  const auto feeder = ProfileFeeder::open(*log, kCapacity, {.directory = directory.file("profiles")});
  ASSERT_FALSE(feeder);
  EXPECT_EQ(feeder.error().action, Action::give_up);
}

/// A log that no longer keeps what is before an offset.
class TrimmedLog final : public log::EventLog {
 public:
  TrimmedLog(log::EventLog& log, log::Offset begin) : log_(log), begin_(begin) {}
  [[nodiscard]] log::Partition partitions() const override { return log_.partitions(); }
  void append(std::vector<log::Batch> batches, log::Appended done) override {
    log_.append(std::move(batches), std::move(done));
  }
  void follow(log::Follower& follower) override { log_.follow(follower); }
  void unfollow() override { log_.unfollow(); }
  [[nodiscard]] Result<log::Records> read(log::Partition partition, log::Offset from, std::size_t records,
                                          std::size_t bytes) override {
    if (from < begin_) return Error::give_up("no longer kept");
    return log_.read(partition, from, records, bytes);
  }
  [[nodiscard]] bool wait_for(log::Partition partition, log::Offset offset, Millis timeout) override {
    return log_.wait_for(partition, offset, timeout);
  }
  [[nodiscard]] log::Offset begin(log::Partition) const override { return begin_; }
  [[nodiscard]] log::Offset end(log::Partition partition) const override { return log_.end(partition); }
  [[nodiscard]] Result<log::Offset> offset_at(log::Partition partition, WallTime time) override {
    return log_.offset_at(partition, time);
  }
  [[nodiscard]] Result<log::Progress> progress(log::Partition partition) override { return log_.progress(partition); }
  [[nodiscard]] Result<void> plan(const std::vector<log::Plan>& plans, std::uint64_t planner) override {
    return log_.plan(plans, planner);
  }
  [[nodiscard]] Result<void> confirm(log::Partition partition, log::Offset next) override {
    return log_.confirm(partition, next);
  }
  [[nodiscard]] Result<std::vector<log::Standing>> standings() override { return log_.standings(); }
  void close() override { log_.close(); }

 private:
  log::EventLog& log_;
  const log::Offset begin_;
};

/// What the trimmed log once had; fails at first, in the middle.
class History final : public EventHistory {
 public:
  explicit History(log::EventLog& log) : log_(log) {}
  [[nodiscard]] Result<void> read(log::Partition partition, log::Range range,
                                  const std::function<bool(log::Offset, const event::Event&)>& on_event) override {
    const auto records = log_.read(partition, range.begin, range.size(), SIZE_MAX);
    if (!records) return records.error();
    const bool fails = !has_failed_.exchange(true);
    for (std::size_t i = 0; i < records->records.size(); ++i) {
      if (fails && i == 100) return Error::retry("the store is away");
      if (!on_event(range.begin + i, *event::decode(records->records[i]))) break;
    }
    return {};
  }

 private:
  log::EventLog& log_;
  std::atomic<bool> has_failed_ = false;
};

TEST(ProfileFeeder, reads_of_the_history_what_the_log_no_longer_keeps) {
  const auto log = log::open_memory_log(1);
  Crowd crowd(5, 100);
  append_crowd(*log, crowd, 1'000);
  const Directory whole, trimmed;
  {
    auto feeder = open_feeder(*log, whole);
    ASSERT_TRUE(comes_true([&] { return feeder->lag() == 0; }));
  }
  TrimmedLog rest(*log, 600);
  {
    auto feeder = open_feeder(rest, trimmed, {.history = std::make_shared<History>(*log)});
    ASSERT_TRUE(comes_true([&] { return feeder->lag() == 0; }));
  }
  EXPECT_TRUE(testing::bytes_of_file(whole.file("profiles/snapshot")) ==
              testing::bytes_of_file(trimmed.file("profiles/snapshot")));
}

TEST(ProfileFeeder, tells_how_it_fares) {
  const Directory directory;
  const auto log = open_log(directory, 1);
  const auto registry = std::make_shared<metrics::Registry>();
  const auto feeder = open_feeder(*log, directory, {.snapshot_every = Millis(20), .metrics = registry});
  auto young = make_event(2, 1, event::Type::page_view, kNewYear);
  young.props = R"({"age":12})";
  auto unknown = make_event(3, 1, event::Type::page_view, kNewYear);
  unknown.props = "";
  append(*log, {make_event(1, 1, event::Type::page_view, kNewYear), young, unknown});
  EXPECT_TRUE(comes_true([&] {
    const auto text = metrics::render(*registry);
    return text.find("marquee_profiles 1\n") != std::string::npos &&
           text.find("marquee_profile_lag_events 0\n") != std::string::npos &&
           text.find("marquee_profile_events_total{outcome=\"applied\"} 1\n") != std::string::npos &&
           text.find("marquee_profile_events_total{outcome=\"contextual\"} 1\n") != std::string::npos &&
           text.find("marquee_profile_events_total{outcome=\"forgotten\"} 1\n") != std::string::npos &&
           std::filesystem::exists(directory.file("profiles/snapshot"));
  }));
}

}  // namespace
}  // namespace marquee::profile
