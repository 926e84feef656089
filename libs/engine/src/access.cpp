#include "access.h"

#include <fmt/format.h>

namespace marquee::engine {
namespace {

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

Answer<Role> authenticate(const StoreRequest& request, const Credentials& credentials) {
  const bool is_reader = request.user == "reader" && !credentials.reader_password.empty();
  const bool is_admin = request.user == "default";
  if (is_admin && (credentials.admin_password.empty() || same(request.password, credentials.admin_password)))
    return Role::admin;
  if (is_reader && same(request.password, credentials.reader_password)) return Role::reader;
  return std::unexpected(
      failure(kAuthenticationFailed, "AUTHENTICATION_FAILED",
              fmt::format("{}: Authentication failed: password is incorrect, or there is no user with such name.",
                          request.user.substr(0, 64))));
}

Answer<> check_role(const StoreRequest& request, Role role) {
  if (request.role.empty() || request.role == (role == Role::admin ? "admin" : "reader")) return {};
  const std::string name = request.role.substr(0, 64);
  if (request.role == "admin" || request.role == "reader") {
    return std::unexpected(failure(kRoleNotGranted, "SET_NON_GRANTED_ROLE",
                                   fmt::format("Role `{}` should be granted to set as current", name)));
  }
  return std::unexpected(
      failure(kUnknownRole, "UNKNOWN_ROLE", fmt::format("There is no role `{}` in user directories", name)));
}

}  // namespace marquee::engine
