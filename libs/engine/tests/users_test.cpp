#include "marquee/engine/users.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "access.h"
#include "quotas.h"

namespace marquee::engine {
namespace {

using std::chrono::seconds;

User user_with(QuotaLimits quota) { return {.name = "u", .password = "", .roles = {Role::reader}, .quotas = {quota}}; }

Quotas::Clock::time_point at(int second) { return Quotas::Clock::time_point(seconds(1'000'000'000 + second)); }

TEST(Quota, is_read_as_it_is_written) {
  const auto quota = read_quota("1h:queries=100,read_rows=1000000,execution_seconds=60");
  ASSERT_TRUE(quota);
  EXPECT_EQ(quota->interval, seconds(3600));
  EXPECT_EQ(quota->queries, 100U);
  EXPECT_EQ(quota->read_rows, 1'000'000U);
  EXPECT_EQ(quota->execution_seconds, 60U);
  for (const char* text : {"", "1h", "1h:", "10ms:queries=1", "1h:apples=1", "1h:queries", "1h:queries=-1",
                           "1h:queries=1x", "queries=1", "1h:queries=99999999999999999999"}) {
    EXPECT_FALSE(read_quota(text)) << text;
  }
}

TEST(Quota, refuses_queries_beyond_it_until_its_interval_ends) {
  Quotas quotas;
  const User user = user_with({.interval = seconds(100), .queries = 2});
  EXPECT_TRUE(quotas.begin(user, at(0)));
  EXPECT_TRUE(quotas.begin(user, at(1)));
  const auto refused = quotas.begin(user, at(99));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, kQuotaExceeded);
  EXPECT_NE(refused.error().message.find("queries = 3/2"), std::string::npos) << refused.error().message;
  EXPECT_TRUE(quotas.begin(user, at(100)));
}

TEST(Quota, counts_what_a_query_used_once_it_has_ended) {
  Quotas quotas;
  const User user = user_with({.interval = seconds(100), .read_rows = 10});
  EXPECT_TRUE(quotas.begin(user, at(0)));
  quotas.end(user, {.read_rows = 10}, false, at(0));
  EXPECT_TRUE(quotas.begin(user, at(0))) << "as much as there is may be used";
  quotas.end(user, {.read_rows = 1}, false, at(0));
  EXPECT_FALSE(quotas.begin(user, at(0)));
}

TEST(Quota, holds_for_a_user_alone) {
  Quotas quotas;
  const User one = user_with({.interval = seconds(100), .errors = 1});
  User other = one;
  other.name = "v";
  for (int i = 0; i < 2; ++i) quotas.end(one, {}, true, at(0));
  EXPECT_FALSE(quotas.begin(one, at(0)));
  EXPECT_TRUE(quotas.begin(other, at(0)));
}

TEST(Quota, adds_up_times_below_a_second) {
  Quotas quotas;
  const User user = user_with({.interval = seconds(100), .execution_seconds = 1});
  for (int i = 0; i < 10; ++i) quotas.end(user, {.elapsed_ns = 100'000'000}, false, at(0));
  EXPECT_TRUE(quotas.begin(user, at(0)));
  quotas.end(user, {.elapsed_ns = 1'000'000}, false, at(0));
  EXPECT_FALSE(quotas.begin(user, at(0)));
}

TEST(Roles, are_the_users_own_and_the_one_that_may_most_counts) {
  const auto directory = std::filesystem::temp_directory_path() / "marquee_users_test_access";
  std::filesystem::create_directories(directory);
  const auto access = Access::open(directory, {{.name = "u", .password = "", .roles = {Role::reader, Role::admin}}});
  ASSERT_TRUE(access);
  const auto role = [&](std::vector<std::string> wanted) -> Answer<Role> {
    StoreRequest request;
    request.user = "u";
    request.roles = std::move(wanted);
    const auto caller = (*access)->admit(request);
    if (!caller) return std::unexpected(caller.error());
    return caller->role;
  };
  EXPECT_EQ(role({}), Role::admin);
  EXPECT_EQ(role({"reader"}), Role::reader);
  EXPECT_EQ(role({"reader", "admin"}), Role::admin);
  EXPECT_EQ(role({"writer"}).error().code, kRoleNotGranted);
  EXPECT_EQ(role({"admin", "writer"}).error().code, kRoleNotGranted);
  EXPECT_EQ(role({""}).error().code, kUnknownRole);
  EXPECT_EQ(role({"Admin"}).error().code, kUnknownRole);
}

TEST(User, needs_a_name_a_role_and_a_password) {
  const auto file = std::filesystem::temp_directory_path() / "marquee_users_test_password";
  std::ofstream(file) << "secret\nmore\n";
  const auto user = read_user("loader:writer,reader:" + file.string());
  ASSERT_TRUE(user);
  EXPECT_EQ(user->password, "secret");
  EXPECT_EQ(user->roles, (std::set{Role::writer, Role::reader}));
  for (const std::string& text : {std::string(), std::string("x"), "x:" + file.string(), ":reader:" + file.string(),
                                  "x::" + file.string(), "x:king:" + file.string(), std::string("x:reader:/none")}) {
    EXPECT_FALSE(read_user(text)) << text;
  }
  std::filesystem::remove(file);
}

}  // namespace
}  // namespace marquee::engine
