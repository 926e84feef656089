// How people sign in, as the configuration says.
#pragma once

#include "app.h"
#include "marquee/api/sign_in_options.h"
#include "marquee/base/result.h"

namespace marquee::app {

/// Action::reject names the key that is wrong.
[[nodiscard]] Result<api::SignInOptions> sign_in_options(const Settings& settings);

}  // namespace marquee::app
