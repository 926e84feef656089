#include "sign_in.h"

#include <fmt/format.h>

#include <string_view>

namespace marquee::app {
namespace {

/// "https://host" or "http://host:port"; empty stays empty.
Result<std::string> origin_of(const std::string& key, std::string text) {
  if (text.ends_with('/')) text.pop_back();
  const auto scheme = text.find("://");
  const bool is_web = text.starts_with("https://") || text.starts_with("http://");
  if (!text.empty() &&
      (!is_web || text.find_first_of("/?# @\\", scheme + 3) != std::string::npos || text.size() == scheme + 3))
    return Error::reject(fmt::format("{}: expected an origin, as https://marquee.example.com", key));
  return text;
}

}  // namespace

Result<api::SignInOptions> sign_in_options(const Settings& settings) {
  api::SignInOptions options;
  options.sessions.idle = Millis(settings.sign_in_idle_ms);
  options.sessions.lifetime = Millis(settings.sign_in_lifetime_ms);
  auto origin = origin_of("sign_in.public_url", settings.sign_in_public_url);
  if (!origin) return origin.error();
  options.public_url = std::move(*origin);
  options.is_secure = options.public_url.starts_with("https://");
  if (settings.sign_in_oidc_issuer.empty()) return options;
  if (settings.sign_in_oidc_client_id.empty())
    return Error::reject("sign_in.oidc.client_id: expected what the provider calls this Marquee");
  auto roles = access::parse_role_map(settings.sign_in_oidc_roles);
  if (!roles) return roles.error();
  options.oidc = {.issuer = settings.sign_in_oidc_issuer,
                  .name = settings.sign_in_oidc_name,
                  .client_id = settings.sign_in_oidc_client_id,
                  .client_secret = settings.sign_in_oidc_client_secret,
                  .scopes = settings.sign_in_oidc_scopes,
                  .name_claim = settings.sign_in_oidc_name_claim,
                  .role_claim = settings.sign_in_oidc_role_claim,
                  .roles = std::move(*roles),
                  .default_role = catalog::role_of(settings.sign_in_oidc_default_role),
                  .ca_file = settings.sign_in_oidc_ca_file};
  if (options.oidc.roles.empty() && !options.oidc.default_role)
    return Error::reject("sign_in.oidc.roles: expected roles by value of the claim, or sign_in.oidc.default_role");
  return options;
}

}  // namespace marquee::app
