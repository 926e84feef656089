// /v1/session/oidc...: signing in by a provider of OpenID Connect.
#pragma once

#include <string>

#include "answers.h"
#include "marquee/access/oidc.h"
#include "marquee/access/sessions.h"
#include "marquee/api/sign_in_options.h"
#include "marquee/catalog/accounts.h"

namespace marquee::api {

/// Thread safe; blocks while the provider and the catalog answer. Both answers are for a browser that goes there: they
/// send it on, to the provider and back to the console, and say in the log and the audit why somebody was not let in.
class OidcAnswers {
 public:
  OidcAnswers(const SignInOptions& options, catalog::Catalog& catalog, access::Sessions& sessions)
      : options_(options), book_(catalog), sessions_(sessions), oidc_(options.oidc, options.clock) {}

  [[nodiscard]] http::Response begin(const http::Request& request);
  [[nodiscard]] http::Response finish(const http::Request& request);

 private:
  [[nodiscard]] Result<catalog::Account> account_of(const access::OidcUser& user);
  [[nodiscard]] http::Response refused(const http::Request& request, const std::string& to, const std::string& why);
  [[nodiscard]] std::string back_of(const http::Request& request) const;

  const SignInOptions& options_;
  catalog::AccountBook book_;
  access::Sessions& sessions_;
  access::Oidc oidc_;
};

/// A path of the console that a browser may be sent to: "/ctr?site=campus". What may be another origin is "/ctr".
[[nodiscard]] std::string own_path(const std::string& text);

}  // namespace marquee::api
