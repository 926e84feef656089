// Who asks, and whether they may: the one place that every route of the API goes through.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "answers.h"
#include "marquee/access/sessions.h"
#include "marquee/catalog/accounts.h"
#include "marquee/catalog/catalog.h"
#include "marquee/http/server.h"

namespace marquee::api {

/// Who asks.
struct Asker {
  std::string name;
  catalog::Role role = catalog::Role::viewer;
  std::string session = {};  ///< Hash of the one it is signed in by; empty: it sent an admin token.
};

/// Thread safe; never blocks.
class Gate {
 public:
  Gate(catalog::Catalog& catalog, access::Sessions& sessions)
      : catalog_(catalog), book_(catalog), sessions_(sessions) {}

  /// The refusal: 401 of who is not known, 403 of who may not. Else none, with request.actor and request.session.
  [[nodiscard]] std::optional<http::Response> refuse(const http::Router::Route& route, http::Request& request) const;
  /// By admin token, else by cookie.
  [[nodiscard]] std::optional<Asker> asker_of(const http::Request& request) const;

 private:
  [[nodiscard]] http::Response unknown(const http::Request& request) const;

  catalog::Catalog& catalog_;
  catalog::AccountBook book_;
  access::Sessions& sessions_;
};

/// Whether a page of another origin makes the browser send this. Browsers say it in Sec-Fetch-Site, or, of a server
/// that is reached by plain HTTP and not on this machine, in Origin; what says neither comes from no browser.
[[nodiscard]] bool is_cross_site(const http::Request& request);
/// Whether a browser says that it comes from a page of this server: more than that it does not come from another's.
[[nodiscard]] bool is_same_origin(const http::Request& request);

/// The secret of the session's cookie; empty where there is none.
[[nodiscard]] std::string cookie_of(const http::Request& request);
/// Set-Cookie that keeps the secret for `seconds`; 0 removes it. `is_secure`: the console is opened over TLS.
[[nodiscard]] std::string set_cookie(const http::Request& request, std::string_view secret, std::int64_t seconds,
                                     bool is_secure);
/// What a proxy in front says, besides `is_secure`.
[[nodiscard]] bool is_over_tls(const http::Request& request, bool is_secure);
/// The cookie of that name; empty where there is none.
[[nodiscard]] std::string_view find_cookie(const http::Request& request, std::string_view name);

}  // namespace marquee::api
