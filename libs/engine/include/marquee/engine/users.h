// The store's users: who they are, what they may do, and how much of it.
#pragma once

#include <chrono>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "marquee/base/result.h"
#include "marquee/engine/connection.h"

namespace marquee::engine {

/// What a user may do. Each may do what those after it may.
enum class Role {
  admin,   ///< Everything.
  writer,  ///< Add rows to tables, too.
  reader,  ///< Queries that read tables, judged (judge.h).
};

[[nodiscard]] std::string_view name_of(Role role);

/// How much a user may do in an interval; 0 is no bound. Intervals are those of the clock: the next hour of an hourly
/// quota begins with the hour.
struct QuotaLimits {
  std::chrono::seconds interval{3600};
  std::uint64_t queries = 0;
  std::uint64_t errors = 0;
  std::uint64_t result_rows = 0;
  std::uint64_t result_bytes = 0;
  std::uint64_t read_rows = 0;
  std::uint64_t read_bytes = 0;
  std::uint64_t execution_seconds = 0;
};

struct User {
  std::string name;
  std::string password;  ///< Empty: none is asked for.
  std::set<Role> roles;
  Settings bounds{};  ///< Settings that the user has and may make smaller, not larger; "0" is no bound.
  std::vector<QuotaLimits> quotas{};
};

/// What queries of a user that is no administrator may use, where nothing else is said.
[[nodiscard]] Settings bounds_of_guests();

/// "NAME:ROLE[,ROLE...]:FILE"; the first line of FILE is the password, which may not be empty.
[[nodiscard]] Result<User> read_user(std::string_view text);
/// "INTERVAL:LIMIT=NUMBER[,LIMIT=NUMBER...]" as "1h:queries=100,read_rows=1000000"; limits by QuotaLimits' names.
[[nodiscard]] Result<QuotaLimits> read_quota(std::string_view text);

}  // namespace marquee::engine
