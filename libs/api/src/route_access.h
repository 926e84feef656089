// What each route of the API needs of who asks, in one table.
#pragma once

#include <span>
#include <string_view>

#include "marquee/catalog/accounts.h"

namespace marquee::api {

enum class Access {
  open,   ///< Anybody.
  keyed,  ///< Who has a write key, a token from a decision or a demo's: the route looks itself.
  viewer,
  analyst,
  manager,
  admin,
};

struct RouteAccess {
  std::string_view method;
  std::string_view pattern;  ///< As api/openapi.yaml has it.
  Access access;
};

/// All routes of api/openapi.yaml.
[[nodiscard]] std::span<const RouteAccess> route_accesses();

/// Of a router's route. What is not in the table is an admin's where it is under /v1/, and else open: files.
[[nodiscard]] Access access_of(std::string_view method, std::string_view pattern);

/// The least role that `access` asks for; of viewer and beyond.
[[nodiscard]] catalog::Role role_for(Access access);

}  // namespace marquee::api
