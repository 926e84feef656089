#include "gate.h"

#include <fmt/format.h>

#include <algorithm>

#include "route_access.h"

namespace marquee::api {
namespace {

constexpr std::string_view kBearer = "Bearer ";

/// Whether the method asks without changing anything (RFC 9110, section 9.2.1).
bool is_safe(std::string_view method) { return method == "GET" || method == "HEAD" || method == "OPTIONS"; }

/// "127.0.0.1:8080" of "http://127.0.0.1:8080".
std::string_view authority_of(std::string_view origin) {
  const auto scheme = origin.find("://");
  return scheme == std::string_view::npos ? std::string_view() : origin.substr(scheme + 3);
}

/// Cookies do not tell ports apart, so two Marquees on one machine need two names.
std::string cookie_name(const http::Request& request, bool is_secure) {
  const auto host = request.headers.get("Host");
  const auto colon = host.rfind(':');
  const auto port = colon == std::string_view::npos ? std::string_view() : host.substr(colon + 1);
  const bool is_port = !port.empty() && std::ranges::all_of(port, [](char c) { return c >= '0' && c <= '9'; });
  // A browser takes a cookie of this prefix only from this very host, over TLS.
  return fmt::format("{}marquee_session{}{}", is_secure ? "__Host-" : "", is_port ? "_" : "", is_port ? port : "");
}

}  // namespace

bool is_same_origin(const http::Request& request) {
  if (const auto site = request.headers.get("Sec-Fetch-Site"); !site.empty()) return site == "same-origin";
  const auto authority = authority_of(request.headers.get("Origin"));  // Of "null" there is none.
  return !authority.empty() && authority == request.headers.get("Host");
}

bool is_cross_site(const http::Request& request) {
  if (!request.headers.has("Sec-Fetch-Site") && !request.headers.has("Origin")) return false;
  return !is_same_origin(request);
}

std::string_view find_cookie(const http::Request& request, std::string_view name) {
  for (const auto& [field, value] : request.headers.fields()) {
    if (!std::ranges::equal(field, std::string_view("cookie"), {},
                            [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }))
      continue;
    std::string_view rest = value;
    while (!rest.empty()) {
      const auto end = std::min(rest.find(';'), rest.size());
      auto pair = rest.substr(0, end);
      rest.remove_prefix(std::min(end + 1, rest.size()));
      pair.remove_prefix(std::min(pair.find_first_not_of(' '), pair.size()));
      if (pair.size() > name.size() && pair.starts_with(name) && pair[name.size()] == '=')
        return pair.substr(name.size() + 1);
    }
  }
  return {};
}

std::string cookie_of(const http::Request& request) {
  for (const bool is_secure : {true, false})
    if (const auto found = find_cookie(request, cookie_name(request, is_secure)); !found.empty())
      return std::string(found);
  return {};
}

bool is_over_tls(const http::Request& request, bool is_secure) {
  // Whoever makes it up only keeps the cookie from themselves.
  return is_secure || request.headers.get("X-Forwarded-Proto") == "https";
}

std::string set_cookie(const http::Request& request, std::string_view secret, std::int64_t seconds, bool is_secure) {
  const bool is_tls = is_over_tls(request, is_secure);
  return fmt::format("{}={}; Path=/; Max-Age={}; HttpOnly; SameSite=Lax{}", cookie_name(request, is_tls), secret,
                     seconds, is_tls ? "; Secure" : "");
}

std::optional<Asker> Gate::asker_of(const http::Request& request) const {
  if (const auto value = request.headers.get("Authorization"); !value.empty()) {
    if (!value.starts_with(kBearer) || !catalog_.is_admin_token(value.substr(kBearer.size()))) return std::nullopt;
    // A browser's page says where it comes from. Once people have accounts, it is they who act there.
    if (request.headers.has("Sec-Fetch-Site") && !book_.is_empty()) return std::nullopt;
    return Asker{.name = "admin", .role = catalog::Role::admin};
  }
  const auto secret = cookie_of(request);
  if (secret.empty()) return std::nullopt;
  const auto found = sessions_.find(secret);
  if (!found) return std::nullopt;
  return Asker{.name = found->account.name, .role = found->account.role, .session = found->session};
}

http::Response Gate::unknown(const http::Request& request) const {
  const bool is_link =
      request.headers.has("Authorization") && request.headers.has("Sec-Fetch-Site") && !book_.is_empty();
  auto response = error_answer(
      401, is_link
               ? "there are accounts: sign in by name and password; admin tokens are for programs"
               : "sign in, or send an admin token: Authorization: Bearer TOKEN; `marquee status` shows where it is");
  response.headers.add("WWW-Authenticate", "Bearer");
  return response;
}

std::optional<http::Response> Gate::refuse(const http::Router::Route& route, http::Request& request) const {
  const auto access = access_of(route.method, route.pattern);
  if (access == Access::open || access == Access::keyed) return std::nullopt;
  const auto asker = asker_of(request);
  if (!asker) return unknown(request);
  const auto least = role_for(access);
  if (asker->role < least) {
    return json_answer(403,
                       {{"error",
                         {{"status", 403},
                          {"message", fmt::format("this needs the role {}; {} has the role {}: an admin can "
                                                  "change that",
                                                  catalog::name_of(least), asker->name, catalog::name_of(asker->role))},
                          {"role", catalog::name_of(least)}}}});
  }
  if (!asker->session.empty() && !is_safe(request.method) && !is_same_origin(request))
    return error_answer(403,
                        "a change by cookie is taken only from the console's own pages (Sec-Fetch-Site, Origin); "
                        "programs send an admin token instead");
  request.actor = asker->name;
  request.session = asker->session;
  return std::nullopt;
}

}  // namespace marquee::api
