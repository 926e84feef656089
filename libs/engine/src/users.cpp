#include "marquee/engine/users.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <fstream>
#include <optional>
#include <utility>

#include "marquee/base/config.h"

namespace marquee::engine {
namespace {

struct RoleName {
  Role role;
  std::string_view name;
};
constexpr std::array kRoles = {RoleName{Role::admin, "admin"}, RoleName{Role::writer, "writer"},
                               RoleName{Role::reader, "reader"}};

struct LimitName {
  std::string_view name;
  std::uint64_t QuotaLimits::* limit;
};
constexpr std::array kLimits = {LimitName{"queries", &QuotaLimits::queries},
                                LimitName{"errors", &QuotaLimits::errors},
                                LimitName{"result_rows", &QuotaLimits::result_rows},
                                LimitName{"result_bytes", &QuotaLimits::result_bytes},
                                LimitName{"read_rows", &QuotaLimits::read_rows},
                                LimitName{"read_bytes", &QuotaLimits::read_bytes},
                                LimitName{"execution_seconds", &QuotaLimits::execution_seconds}};

/// What stands before `mark`, which is taken from `text` with it; all of it where there is none.
std::string_view cut(std::string_view& text, char mark) {
  const std::size_t at = std::min(text.find(mark), text.size());
  const std::string_view before = text.substr(0, at);
  text.remove_prefix(std::min(at + 1, text.size()));
  return before;
}

}  // namespace

std::string_view name_of(Role role) { return std::ranges::find(kRoles, role, &RoleName::role)->name; }

Settings bounds_of_guests() {
  return {{"max_execution_time", "60"}, {"max_memory_usage", "2147483648"}, {"max_result_bytes", "1073741824"}};
}

Result<User> read_user(std::string_view text) {
  User user;
  user.name = cut(text, ':');
  std::string_view roles = cut(text, ':');
  while (!roles.empty()) {
    const std::string_view name = cut(roles, ',');
    const auto* const role = std::ranges::find(kRoles, name, &RoleName::name);
    if (role == kRoles.end()) {
      return Error::give_up(
          fmt::format("user {}: there is no role {}; there are admin, writer and reader", user.name, name));
    }
    user.roles.insert(role->role);
  }
  if (user.name.empty() || user.roles.empty() || text.empty()) {
    return Error::give_up("a user is written as NAME:ROLE[,ROLE...]:PASSWORD-FILE");
  }
  std::ifstream in{std::string(text)};
  if (!std::getline(in, user.password) || user.password.empty()) {
    return Error::give_up(fmt::format("user {}: cannot read a password from {}", user.name, text));
  }
  return user;
}

Result<QuotaLimits> read_quota(std::string_view text) {
  QuotaLimits quota;
  const auto interval = config::parse_duration(cut(text, ':'));
  if (!interval) return interval.error();
  quota.interval = std::chrono::duration_cast<std::chrono::seconds>(std::chrono::milliseconds(*interval));
  if (quota.interval < std::chrono::seconds(1)) return Error::give_up("a quota's interval is at least a second");
  if (text.empty()) return Error::give_up("a quota is written as INTERVAL:LIMIT=NUMBER[,LIMIT=NUMBER...]");
  while (!text.empty()) {
    std::string_view number = cut(text, ',');
    const std::string_view name = cut(number, '=');
    const auto* const limit = std::ranges::find(kLimits, name, &LimitName::name);
    if (limit == kLimits.end()) return Error::give_up(fmt::format("there is no limit {} of a quota", name));
    const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), quota.*(limit->limit));
    if (error != std::errc() || end != number.data() + number.size()) {
      return Error::give_up(fmt::format("the limit {} of a quota is no number: {}", name, number));
    }
  }
  return quota;
}

}  // namespace marquee::engine
