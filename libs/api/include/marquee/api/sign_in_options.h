// How people sign in to the console and the API.
#pragma once

#include <memory>
#include <string>

#include "marquee/access/attempts.h"
#include "marquee/access/oidc.h"
#include "marquee/access/password.h"
#include "marquee/access/sessions.h"
#include "marquee/base/time.h"

namespace marquee::api {

struct SignInOptions {
  access::SessionRules sessions;
  access::PasswordCost cost;
  access::AttemptRules of_address{.burst = 30, .refill = Millis(20'000)};
  access::AttemptRules of_name{.burst = 10, .refill = Millis(60'000)};
  bool is_secure = false;  ///< The console is opened over TLS.
  std::string public_url;  ///< Its origin, as browsers open it, without a slash at its end; empty: as they say (Host).
  access::OidcOptions oidc;
  std::shared_ptr<const Clock> clock = std::make_shared<SystemClock>();
};

}  // namespace marquee::api
