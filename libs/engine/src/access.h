// Who asks, and in which role.
#pragma once

#include <string>
#include <vector>

#include "marquee/engine/failure.h"
#include "marquee/engine/request.h"
#include "marquee/engine/users.h"

namespace marquee::engine {

/// AUTHENTICATION_FAILED, which does not tell whether the user exists. The user is one of `users`.
[[nodiscard]] Answer<const User*> authenticate(const StoreRequest& request, const std::vector<User>& users);

/// The role that the request runs in: the one of the user's that may most; of those that it asks for, where it does
/// (role=, perhaps several). UNKNOWN_ROLE, SET_NON_GRANTED_ROLE.
[[nodiscard]] Answer<Role> active_role(const StoreRequest& request, const User& user);

}  // namespace marquee::engine
