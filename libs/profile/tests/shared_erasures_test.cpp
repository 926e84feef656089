// Who is erased where several keep profiles of the same events: each is told by a log, also who was away.
#include <gtest/gtest.h>

#include <filesystem>
#include <memory>

#include "fed_store.h"
#include "marquee/log/memory_log.h"
#include "marquee/profile/erasure.h"
#include "profile_events.h"

namespace marquee::profile {
namespace {

using testing::append;
using testing::comes_true;
using testing::Directory;
using testing::kNewYear;
using testing::make_event;
using testing::open_log;
using testing::permission;

event::Event visit(std::uint64_t user, std::uint32_t seq,
                   std::int64_t received_ms = std::int64_t{kNewYear + 10} * 1'000) {
  auto event = make_event(user, seq, event::Type::page_view, kNewYear + seq);
  event.received_time_ms = received_ms;
  return event;
}

std::int64_t now_ms() { return SystemClock().now().time_since_epoch().count(); }
/// Of what comes after an erasure that is asked for now.
std::int64_t later_ms() { return now_ms() + 1'000; }

TEST(Erasure, is_read_as_it_was_written_and_nothing_else_is) {
  const Erasure erasure{.site_id = "campus", .user_key = 7, .before = 1ULL << 40, .asked_ms = 1'700'000'000'000};
  EXPECT_EQ(decode_erasure(encode(erasure)), erasure);
  EXPECT_FALSE(decode_erasure(""));
  EXPECT_FALSE(decode_erasure(encode(Erasure{})));
  EXPECT_FALSE(decode_erasure("2" + encode(erasure).substr(1))) << "of a later program";
}

class SharedErasures : public ::testing::Test {
 protected:
  /// A process that keeps profiles of the log.
  std::unique_ptr<ProfileFeeder> open(const Directory& directory) {
    ProfileFeederOptions options{.directory = directory.file("profiles")};
    options.erasures = erasures.get();
    auto feeder = ProfileFeeder::open(*events, testing::kCapacity, std::move(options));
    EXPECT_TRUE(feeder);
    return std::move(*feeder);
  }
  std::unique_ptr<ProfileFeeder> open_and_read(const Directory& directory) {
    auto feeder = open(directory);
    EXPECT_TRUE(comes_true([&] { return feeder->lag() == 0 && feeder->has_begun(); }));
    return feeder;
  }
  [[nodiscard]] static bool knows(const ProfileFeeder& feeder, std::uint64_t user) {
    return const_cast<ProfileFeeder&>(feeder).store().read(permission(user)).has_value();
  }
  void erase(std::uint64_t user) { ASSERT_TRUE(tell_erasure(*erasures, *events, "campus", user)); }
  static void take_snapshot(const Directory& from, const Directory& to) {
    std::filesystem::create_directories(to.file("profiles"));
    std::filesystem::copy_file(from.file("profiles/snapshot"), to.file("profiles/snapshot"),
                               std::filesystem::copy_options::overwrite_existing);
  }

  Directory log_directory, one, other;
  std::unique_ptr<log::EventLog> events = open_log(log_directory), erasures = log::open_memory_log(1);
};

TEST_F(SharedErasures, reach_all_who_run_and_who_comes_back_from_a_snapshot_of_before) {
  auto first = open(one);
  {
    auto second = open(other);
    append(*events, {visit(7, 1), visit(8, 1)});
    ASSERT_TRUE(comes_true([&] { return knows(*first, 7) && knows(*second, 7) && knows(*second, 8); }));
  }
  erase(7);
  EXPECT_TRUE(comes_true([&] { return !knows(*first, 7); }));
  EXPECT_TRUE(knows(*first, 8));
  for (int start = 0; start < 2; ++start) {
    const auto second = open(other);  // Nothing to wait for: it was read before anybody can ask.
    EXPECT_FALSE(knows(*second, 7)) << start;
    EXPECT_TRUE(knows(*second, 8));
  }
  // From the log alone.
  first.reset();
  std::filesystem::remove_all(one.file("profiles"));
  first = open_and_read(one);
  EXPECT_FALSE(knows(*first, 7));
  EXPECT_TRUE(knows(*first, 8));
}

TEST_F(SharedErasures, leave_who_comes_again_alone_whatever_restarts_there_are) {
  append(*events, {visit(7, 1)});
  const auto first = open_and_read(one);
  erase(7);
  ASSERT_TRUE(comes_true([&] { return !knows(*first, 7); }));
  append(*events, {visit(7, 2, later_ms())});
  ASSERT_TRUE(comes_true([&] { return knows(*first, 7); }));
  ASSERT_TRUE(first->save());
  // With that snapshot, and from the log alone.
  take_snapshot(one, other);
  EXPECT_TRUE(knows(*open(other), 7));
  std::filesystem::remove_all(other.file("profiles"));
  const auto again = open_and_read(other);
  ASSERT_TRUE(knows(*again, 7));
  EXPECT_EQ(again->store().read(permission(7))->first_seen(), kNewYear + 2) << "what was before the erasure counts";
}

TEST_F(SharedErasures, hold_against_a_snapshot_that_knows_later_events_but_not_the_erasure) {
  append(*events, {visit(7, 1)});
  // It reads an event of after the erasure before it hears of the erasure, and dies then.
  const auto erasure = tell_erasure(*erasures, *events, "campus", 7);
  ASSERT_TRUE(erasure);
  append(*events, {visit(7, 2, later_ms()), visit(8, 1)});
  {
    ProfileFeederOptions deaf{.directory = one.file("profiles")};
    auto feeder = ProfileFeeder::open(*events, testing::kCapacity, std::move(deaf));
    ASSERT_TRUE(feeder);
    ASSERT_TRUE(comes_true([&] { return (*feeder)->lag() == 0; }));
    ASSERT_TRUE(knows(**feeder, 7));
  }
  const auto feeder = open(one);
  EXPECT_FALSE(knows(*feeder, 7)) << "the snapshot cannot tell what is of before";
  EXPECT_TRUE(knows(*feeder, 8));
}

TEST_F(SharedErasures, hold_for_events_that_were_received_before_and_come_to_the_log_later) {
  const auto feeder = open(one);
  erase(7);
  append(*events, {visit(7, 1, now_ms() - 5'000), visit(8, 1)});
  ASSERT_TRUE(comes_true([&] { return knows(*feeder, 8) && feeder->lag() == 0; }));
  EXPECT_FALSE(knows(*feeder, 7));
}

TEST_F(SharedErasures, are_heard_once_and_go_from_the_disk) {
  append(*events, {visit(7, 1)});
  auto feeder = open_and_read(one);
  ASSERT_TRUE(feeder->save());
  const auto id = permission(7).id().value;
  const std::string id_bytes(reinterpret_cast<const char*>(&id), sizeof id);
  const auto is_on_disk = [&] {
    return testing::bytes_of_file(one.file("profiles/snapshot")).find(id_bytes) != std::string::npos;
  };
  ASSERT_TRUE(is_on_disk());
  const auto told = tell_erasure(*erasures, *events, "campus", 7);
  ASSERT_TRUE(told);
  feeder->erase(*told);  // As whoever told it does, and then hears of it.
  EXPECT_FALSE(knows(*feeder, 7));
  append(*events, {visit(7, 2, later_ms())});
  ASSERT_TRUE(comes_true([&] { return knows(*feeder, 7); }));
  feeder->erase(*told);
  EXPECT_TRUE(knows(*feeder, 7)) << "who has come since is someone new";
  erase(7);
  EXPECT_TRUE(comes_true([&] { return !is_on_disk(); })) << "not before the next snapshot, five minutes later";
}

}  // namespace
}  // namespace marquee::profile
