// Who asks: the two users of the store.
#pragma once

#include <string>

#include "marquee/engine/failure.h"
#include "marquee/engine/request.h"

namespace marquee::engine {

enum class Role { admin, reader };

struct Credentials {
  std::string admin_password;   ///< Empty: "default" needs none.
  std::string reader_password;  ///< Empty: there is no "reader".
};

/// AUTHENTICATION_FAILED, which does not tell whether the user exists.
[[nodiscard]] Answer<Role> authenticate(const StoreRequest& request, const Credentials& credentials);

/// A user has the one role that is its own ("admin", "reader") and may ask for that. UNKNOWN_ROLE,
/// SET_NON_GRANTED_ROLE.
[[nodiscard]] Answer<> check_role(const StoreRequest& request, Role role);

}  // namespace marquee::engine
