#include "access.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace marquee::engine {
namespace {

constexpr std::array kAllRoles = {Role::admin, Role::writer, Role::reader};

/// Takes as long for a nearly right password as for a wrong one.
bool same(const std::string& given, const std::string& right) {
  unsigned difference = given.size() == right.size() ? 0 : 1;
  for (std::size_t i = 0; i < given.size(); ++i) {
    const char other = right.empty() ? '\0' : right[i % right.size()];
    difference |= static_cast<unsigned char>(given[i] ^ other);
  }
  return difference == 0;
}

}  // namespace

Answer<const User*> authenticate(const StoreRequest& request, const std::vector<User>& users) {
  const auto user = std::ranges::find(users, request.user, &User::name);
  if (user != users.end() && (user->password.empty() || same(request.password, user->password))) return &*user;
  return std::unexpected(
      failure(kAuthenticationFailed, "AUTHENTICATION_FAILED",
              fmt::format("{}: Authentication failed: password is incorrect, or there is no user with such name.",
                          request.user.substr(0, 64))));
}

Answer<Role> active_role(const StoreRequest& request, const User& user) {
  if (request.roles.empty()) return *user.roles.begin();
  Role most = Role::reader;
  for (const std::string& wanted : request.roles) {
    const std::string name = wanted.substr(0, 64);
    const auto known = std::ranges::find_if(kAllRoles, [&](Role role) { return name_of(role) == wanted; });
    if (known == kAllRoles.end()) {
      return std::unexpected(
          failure(kUnknownRole, "UNKNOWN_ROLE", fmt::format("There is no role `{}` in user directories", name)));
    }
    if (!user.roles.contains(*known)) {
      return std::unexpected(failure(kRoleNotGranted, "SET_NON_GRANTED_ROLE",
                                     fmt::format("Role `{}` should be granted to set as current", name)));
    }
    most = std::min(most, *known);
  }
  return most;
}

}  // namespace marquee::engine
