// currentUser(), currentRoles() and queryID() in a query: the embedded engine knows one user, none of our roles, and
// names its queries itself.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace marquee::engine {

struct KnownOfRequest {
  std::string_view user;
  const std::vector<std::string>& roles;
  std::string_view query_id;
};

/// `query`, a SELECT, with what is known of its request in place of these functions. Columns keep their names.
[[nodiscard]] std::string with_known_functions(std::string query, const KnownOfRequest& known);

}  // namespace marquee::engine
