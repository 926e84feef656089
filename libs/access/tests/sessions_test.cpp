#include "marquee/access/sessions.h"

#include <gtest/gtest.h>

#include <filesystem>

namespace marquee::access {
namespace {

using catalog::Account;
using catalog::AccountBook;
using catalog::Edit;
using catalog::Role;

constexpr SessionRules kRules{
    .idle = std::chrono::hours(1), .lifetime = std::chrono::hours(24), .keep_every = std::chrono::hours(1)};

class SessionsTest : public testing::Test {
 protected:
  void SetUp() override {
    path_ = std::filesystem::temp_directory_path() / ("marquee-sessions-" + catalog::make_secret(""));
    open();
    add("root", Role::admin);
    add("priya", Role::viewer);
  }
  void TearDown() override {
    sessions_.reset();
    catalog_.reset();
    for (const char* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(path_.string() + suffix);
  }
  void open() {
    sessions_.reset();
    catalog_.reset();
    catalog_ = std::move(*catalog::Catalog::open(path_.string(), clock_));
    sessions_ = std::make_unique<Sessions>(book(), kRules, clock_);
  }
  AccountBook book() { return AccountBook(*catalog_); }
  void add(const std::string& name, Role role) {
    Account account{.name = name, .role = role, .password = "hash of " + name};
    ASSERT_EQ(*book().add(account, "test"), Edit::done);
  }
  std::string begin(const std::string& name) { return *sessions_->begin(name, "hash of " + name, "signed in"); }

  std::filesystem::path path_;
  std::shared_ptr<ManualClock> clock_ = std::make_shared<ManualClock>(WallTime(Millis(1'800'000'000'000)));
  std::unique_ptr<catalog::Catalog> catalog_;
  std::unique_ptr<Sessions> sessions_;
};

TEST_F(SessionsTest, belong_to_whoever_holds_the_secret_and_are_kept_as_a_hash) {
  const auto secret = begin("priya");
  EXPECT_EQ(secret.size(), 64);
  EXPECT_NE(secret, begin("priya"));
  const auto found = sessions_->find(secret);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->account.name, "priya");
  EXPECT_EQ(found->account.role, Role::viewer);
  EXPECT_NE(found->session, secret);
  EXPECT_FALSE(sessions_->find(found->session)) << "the hash is no secret";
  EXPECT_FALSE(sessions_->find(""));
}

TEST_F(SessionsTest, end_when_idle_and_when_old) {
  const auto idle = begin("priya"), used = begin("priya");
  for (int hour = 0; hour < 24; ++hour) {
    EXPECT_TRUE(sessions_->find(used)) << hour;
    clock_->advance(std::chrono::minutes(59));
    EXPECT_TRUE(sessions_->find(used)) << hour;
    clock_->advance(std::chrono::minutes(1));
    EXPECT_FALSE(sessions_->find(idle)) << hour;
  }
  EXPECT_FALSE(sessions_->find(used)) << "a day is the longest";
}

TEST_F(SessionsTest, outlive_a_restart_with_when_they_were_seen) {
  const auto secret = begin("priya");
  clock_->advance(std::chrono::minutes(50));
  EXPECT_TRUE(sessions_->find(secret));
  open();
  clock_->advance(std::chrono::minutes(50));
  EXPECT_TRUE(sessions_->find(secret));
}

TEST_F(SessionsTest, end_by_signing_out_and_no_others_with_them) {
  const auto one = begin("priya"), other = begin("priya");
  const auto found = sessions_->find(one);
  EXPECT_TRUE(sessions_->goes_on(found->session));
  ASSERT_TRUE(sessions_->end(found->session, "priya"));
  EXPECT_FALSE(sessions_->goes_on(found->session));
  EXPECT_FALSE(sessions_->find(one));
  EXPECT_TRUE(sessions_->find(other));
}

TEST_F(SessionsTest, end_with_a_changed_password_but_for_the_one_that_changed_it) {
  const auto mine = begin("priya"), other = begin("priya"), of_root = begin("root");
  const auto kept = sessions_->find(mine)->session;
  ASSERT_EQ(*book().set_password("priya", "another", kept, "priya"), Edit::done);
  EXPECT_TRUE(sessions_->find(mine));
  EXPECT_FALSE(sessions_->find(other));
  EXPECT_TRUE(sessions_->find(of_root));
}

TEST_F(SessionsTest, do_not_begin_by_a_password_that_was_changed_while_it_was_looked_at) {
  ASSERT_EQ(*book().set_password("priya", "another", "", "root"), Edit::done);
  EXPECT_FALSE(sessions_->begin("priya", "hash of priya", "signed in"));
  EXPECT_TRUE(sessions_->begin("priya", "another", "signed in"));
  EXPECT_FALSE(sessions_->begin("nobody", "", "signed in"));
}

TEST_F(SessionsTest, end_by_an_admin_and_with_the_account) {
  const auto one = begin("priya"), other = begin("priya");
  EXPECT_EQ(**book().end_sessions("priya", "root"), 2);
  EXPECT_FALSE(sessions_->find(one));
  EXPECT_FALSE(sessions_->find(other));
  EXPECT_FALSE(*book().end_sessions("nobody", "root"));
  const auto again = begin("priya");
  ASSERT_EQ(*book().remove("priya", "root"), Edit::done);
  EXPECT_FALSE(sessions_->find(again));
  add("priya", Role::admin);
  EXPECT_FALSE(sessions_->find(again)) << "another account of the same name";
}

TEST_F(SessionsTest, do_what_the_role_is_at_the_moment) {
  const auto secret = begin("priya");
  ASSERT_EQ(*book().set_role("priya", Role::manager, "root"), Edit::done);
  EXPECT_EQ(sessions_->find(secret)->account.role, Role::manager);
}

TEST_F(SessionsTest, are_so_many_of_an_account) {
  const auto first = begin("priya");
  for (std::size_t i = 0; i < AccountBook::kMostSessions; ++i) {
    clock_->advance(Millis(1));
    std::ignore = begin("priya");
  }
  EXPECT_FALSE(sessions_->find(first));
  EXPECT_EQ(book().sessions("priya").size(), AccountBook::kMostSessions);
}

TEST_F(SessionsTest, keeps_one_admin) {
  EXPECT_EQ(*book().set_role("root", Role::manager, "root"), Edit::in_use);
  EXPECT_EQ(*book().remove("root", "root"), Edit::in_use);
  add("ravi", Role::admin);
  EXPECT_EQ(*book().remove("root", "ravi"), Edit::done);
  EXPECT_EQ(*book().remove("ravi", "ravi"), Edit::in_use);
}

TEST_F(SessionsTest, begin_with_an_admin) {
  TearDown();
  SetUp();
  ASSERT_EQ(*book().remove("priya", "test"), Edit::done);
  const auto path = path_.string() + "-first";
  auto catalog = std::move(*catalog::Catalog::open(path, clock_));
  AccountBook first(*catalog);
  EXPECT_TRUE(first.is_empty());
  Account viewer{.name = "v", .role = Role::viewer}, admin{.name = "a", .role = Role::admin};
  EXPECT_FALSE(first.add(viewer, "test"));
  EXPECT_EQ(*first.add(admin, "test"), Edit::done);
  EXPECT_EQ(*first.add(viewer, "test"), Edit::done);
  EXPECT_EQ(*first.add(viewer, "test"), Edit::exists);
  Account bad{.name = "Priya"};
  EXPECT_FALSE(first.add(bad, "test"));
  catalog.reset();
  for (const char* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(path + suffix);
}

TEST_F(SessionsTest, are_told_in_the_audit_log_page_by_page) {
  std::ignore = begin("priya");
  clock_->advance(Millis(1));
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(book().note("sign-in", "refused", 3));
  clock_->advance(Millis(1));
  ASSERT_EQ(*book().set_role("priya", Role::manager, "root"), Edit::done);
  const auto newest = *book().audit("", INT64_MAX, 2);
  ASSERT_EQ(newest.size(), 6) << "all of the last one's millisecond";
  EXPECT_EQ(newest.front().actor, "root");
  EXPECT_EQ(newest.front().what, "account priya is now manager, was viewer");
  const auto older = *book().audit("", newest.back().time_ms, 100);
  EXPECT_EQ(older.size(), 3);
  EXPECT_EQ(book().audit("priya", INT64_MAX, 10)->front().what, "signed in");
  clock_->advance(Millis(1));
  for (int i = 0; i < 20; ++i) {
    clock_->advance(Millis(1));
    ASSERT_TRUE(book().note("sign-in", "refused", 3));
  }
  EXPECT_EQ(book().audit("sign-in", INT64_MAX, 100)->size(), 5)
      << "the newest three were kept before each of the last two";
  EXPECT_EQ(book().audit("root", INT64_MAX, 100)->size(), 1) << "what others did stays";
}

}  // namespace
}  // namespace marquee::access
