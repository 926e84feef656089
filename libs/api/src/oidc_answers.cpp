#include "oidc_answers.h"

#include <fmt/format.h>

#include <algorithm>

#include "gate.h"
#include "marquee/base/logging.h"
#include "marquee/catalog/catalog.h"

namespace marquee::api {
namespace {

constexpr std::string_view kProviderActor = "sign-in";
constexpr std::int64_t kMostProviderRefusals = 10'000;
constexpr std::string_view kBrowserCookie = "marquee_oidc";
constexpr std::string_view kCallback = "/v1/session/oidc/callback";

http::Response sent_to(const std::string& address) {
  http::Response answer;
  answer.status = 302;
  answer.headers.add("Location", address);
  answer.headers.add("Cache-Control", "no-store");
  answer.headers.add("Referrer-Policy", "no-referrer");
  return answer;
}

}  // namespace

std::string own_path(const std::string& text) {
  // "//host" and "/\host" are other origins, and line breaks none of an address.
  const bool is_own = text.starts_with('/') && !text.starts_with("//") && text.size() <= 2000 &&
                      std::ranges::all_of(text, [](char c) { return c > ' ' && c < 127 && c != '\\'; });
  return is_own ? text : "/ctr";
}

std::string OidcAnswers::back_of(const http::Request& request) const {
  if (!options_.public_url.empty()) return options_.public_url + std::string(kCallback);
  return fmt::format("{}://{}{}", is_over_tls(request, options_.is_secure) ? "https" : "http",
                     request.headers.get("Host"), kCallback);
}

http::Response OidcAnswers::begin(const http::Request& request) {
  if (options_.oidc.issuer.empty())
    return error_answer(404, "there is no provider of OpenID Connect: sign_in.oidc.issuer is not set");
  const auto to = own_path(request.query_parameter("to").value_or("/ctr"));
  auto browser = std::string(find_cookie(request, kBrowserCookie));
  if (browser.size() < 40) browser = catalog::make_secret("");
  const auto url = oidc_.begin(browser, back_of(request), to);
  if (!url) return refused(request, to, url.error().message);
  auto answer = sent_to(*url);
  answer.headers.add("Set-Cookie",
                     fmt::format("{}={}; Path=/v1/session/oidc; Max-Age=600; HttpOnly; SameSite=Lax{}", kBrowserCookie,
                                 browser, is_over_tls(request, options_.is_secure) ? "; Secure" : ""));
  return answer;
}

http::Response OidcAnswers::refused(const http::Request& request, const std::string& to, const std::string& why) {
  logging::warn("access.oidc_refused", {{"error", why}, {"address", request.remote_address}});
  std::ignore = book_.note(
      kProviderActor,
      fmt::format("sign-in by OpenID Connect refused, from {}: {}", request.remote_address, why.substr(0, 300)),
      kMostProviderRefusals);
  return sent_to(to + "#sign-in=failed");
}

Result<catalog::Account> OidcAnswers::account_of(const access::OidcUser& user) {
  if (auto known = book_.find_subject(user.subject)) {
    if (known->role == user.role) return *known;
    const auto set = book_.set_role(known->name, user.role, kProviderActor);
    if (!set) return set.error();
    // The last admin stays one.
    known = book_.find_subject(user.subject);
    if (known) return *known;
    return Error::reject("the account was removed meanwhile");
  }
  if (user.name.empty())
    return Error::reject(
        fmt::format("neither {} nor a verified email is a name that an account may have", options_.oidc.name_claim));
  catalog::Account account{.name = user.name, .role = user.role, .subject = user.subject};
  const auto added = book_.add(account, kProviderActor);
  if (!added) return added.error();
  // Whoever has a name at the provider is not therefore who has it here.
  if (*added != catalog::Edit::done)
    return Error::reject(fmt::format("there is an account {} already, of somebody else", user.name));
  return account;
}

http::Response OidcAnswers::finish(const http::Request& request) {
  const auto parameter = [&](const char* name) { return request.query_parameter(name).value_or(""); };
  if (const auto error = parameter("error"); !error.empty())
    return refused(request, "/ctr", fmt::format("the provider says {}", error.substr(0, 100)));
  const auto user = oidc_.finish(std::string(find_cookie(request, kBrowserCookie)), parameter("state"),
                                 parameter("code"), parameter("iss"));
  if (!user) return refused(request, "/ctr", user.error().message);
  const auto account = account_of(*user);
  if (!account) return refused(request, user->to, account.error().message);
  const auto secret = sessions_.begin(account->name, account->password,
                                      fmt::format("signed in by OpenID Connect, from {}", request.remote_address));
  if (!secret) return refused(request, user->to, secret.error().message);
  auto answer = sent_to(user->to);
  answer.headers.add("Set-Cookie",
                     set_cookie(request, *secret, options_.sessions.lifetime.count() / 1000, options_.is_secure));
  return answer;
}

}  // namespace marquee::api
