#include "route_access.h"

#include <array>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace marquee::api {
namespace {

// clang-format off
constexpr auto kRouteAccesses = std::to_array<RouteAccess>({
    {"POST",   "/v1/events",                       Access::keyed},
    {"POST",   "/v1/beacon",                       Access::keyed},
    {"GET",    "/v1/pixel",                        Access::keyed},
    {"POST",   "/v1/decisions",                    Access::keyed},
    {"GET",    "/v1/impression/{token}",           Access::keyed},
    {"GET",    "/v1/click/{token}",                Access::keyed},
    {"POST",   "/v1/demo/visits",                  Access::keyed},
    {"POST",   "/v1/demo/profile",                 Access::keyed},
    {"GET",    "/v1/demo/decisions/{id}",          Access::keyed},

    {"GET",    "/healthz",                         Access::open},
    {"GET",    "/readyz",                          Access::open},
    {"GET",    "/metrics",                         Access::open},
    {"GET",    "/openapi.json",                    Access::open},
    {"GET",    "/v1/session",                      Access::open},
    {"POST",   "/v1/session",                      Access::open},
    {"DELETE", "/v1/session",                      Access::open},
    {"GET",    "/v1/session/oidc",                 Access::open},
    {"GET",    "/v1/session/oidc/callback",        Access::open},
    {"PUT",    "/v1/session/password",             Access::viewer},

    {"GET",    "/v1/reports/ctr",                  Access::viewer},
    {"GET",    "/v1/reports/metrics",              Access::viewer},
    {"GET",    "/v1/reports/metrics/stream",       Access::viewer},
    {"GET",    "/v1/reports/searches",             Access::viewer},
    {"GET",    "/v1/reports/searches/stream",      Access::viewer},
    {"GET",    "/v1/reports/paths",                Access::viewer},
    {"GET",    "/v1/reports/paths/stream",         Access::viewer},
    {"GET",    "/v1/reports/retention",            Access::viewer},
    {"GET",    "/v1/reports/retention/stream",     Access::viewer},
    {"GET",    "/v1/reports/model",                Access::viewer},
    {"GET",    "/v1/reports/heatmap",              Access::viewer},
    {"GET",    "/v1/reports/heatmap/stream",       Access::viewer},
    {"GET",    "/v1/reports/funnel",               Access::viewer},
    {"POST",   "/v1/reports/funnel",               Access::viewer},  // It asks and changes nothing.
    {"GET",    "/v1/reports/funnel/stream",        Access::viewer},
    {"POST",   "/v1/reports/funnel/stream",        Access::viewer},
    {"GET",    "/v1/reports/campaigns",            Access::viewer},
    {"GET",    "/v1/reports/segments",             Access::viewer},
    {"GET",    "/v1/live",                         Access::viewer},
    {"GET",    "/v1/live/campaigns",               Access::viewer},
    {"GET",    "/v1/status",                       Access::viewer},
    {"GET",    "/v1/pipeline",                     Access::viewer},
    {"GET",    "/v1/models",                       Access::viewer},
    {"GET",    "/v1/clusters",                     Access::viewer},
    {"GET",    "/v1/sites",                        Access::viewer},
    {"GET",    "/v1/sites/{site}/{kind}",          Access::viewer},

    // Rows of single people, which no report shows, and as much of the store's time as a statement asks for: not for
    // everybody who may look at reports.
    {"POST",   "/v1/sql",                          Access::analyst},  // It asks and changes nothing.
    {"GET",    "/v1/sql/schema",                   Access::analyst},

    {"GET",    "/v1/saved-reports",                Access::viewer},
    {"POST",   "/v1/saved-reports",                Access::analyst},
    {"GET",    "/v1/saved-reports/{id}",           Access::viewer},
    {"PUT",    "/v1/saved-reports/{id}",           Access::analyst},
    {"DELETE", "/v1/saved-reports/{id}",           Access::analyst},
    {"GET",    "/v1/saved-reports/{id}/answer",    Access::viewer},
    {"GET",    "/v1/segments",                     Access::viewer},
    {"POST",   "/v1/segments",                     Access::analyst},
    {"GET",    "/v1/segments/{id}",                Access::viewer},
    {"PUT",    "/v1/segments/{id}",                Access::analyst},
    {"DELETE", "/v1/segments/{id}",                Access::analyst},
    {"POST",   "/v1/segments/{id}/refresh",        Access::analyst},

    {"GET",    "/v1/campaigns",                    Access::viewer},
    {"POST",   "/v1/campaigns",                    Access::manager},
    {"GET",    "/v1/campaigns/{id}",               Access::viewer},
    {"PUT",    "/v1/campaigns/{id}",               Access::manager},
    {"DELETE", "/v1/campaigns/{id}",               Access::manager},
    {"GET",    "/v1/campaigns/{id}/history",       Access::viewer},
    {"POST",   "/v1/campaigns/{id}/restore",       Access::manager},
    {"GET",    "/v1/slots",                        Access::viewer},
    {"POST",   "/v1/slots",                        Access::manager},
    {"GET",    "/v1/slots/{id}",                   Access::viewer},
    {"PUT",    "/v1/slots/{id}",                   Access::manager},
    {"DELETE", "/v1/slots/{id}",                   Access::manager},
    {"GET",    "/v1/slots/{id}/history",           Access::viewer},
    {"POST",   "/v1/slots/{id}/restore",           Access::manager},
    {"POST",   "/v1/sites/{site}/{kind}",          Access::manager},
    // Addresses of webhooks often hold a secret, so who may not make them may not read them.
    {"GET",    "/v1/deliveries",                   Access::manager},
    {"POST",   "/v1/deliveries",                   Access::manager},
    {"GET",    "/v1/deliveries/{id}",              Access::manager},
    {"PUT",    "/v1/deliveries/{id}",              Access::manager},
    {"DELETE", "/v1/deliveries/{id}",              Access::manager},
    {"POST",   "/v1/deliveries/{id}/send",         Access::manager},
    {"GET",    "/v1/alerts",                       Access::manager},
    {"POST",   "/v1/alerts",                       Access::manager},
    {"GET",    "/v1/alerts/{id}",                  Access::manager},
    {"PUT",    "/v1/alerts/{id}",                  Access::manager},
    {"DELETE", "/v1/alerts/{id}",                  Access::manager},
    {"POST",   "/v1/alerts/{id}/test",             Access::manager},

    {"POST",   "/v1/sites",                        Access::admin},
    {"PUT",    "/v1/sites/{site}",                 Access::admin},
    {"GET",    "/v1/sites/{site}/keys",            Access::admin},
    {"POST",   "/v1/sites/{site}/keys",            Access::admin},
    {"DELETE", "/v1/sites/{site}/keys/{key}",      Access::admin},
    {"GET",    "/v1/retention",                    Access::admin},
    {"DELETE", "/v1/profiles/{user_id}",           Access::admin},
    {"DELETE", "/v1/users/{user_id}",              Access::admin},
    {"GET",    "/v1/users/{user_id}/export",       Access::admin},
    {"GET",    "/v1/erasures",                     Access::admin},
    {"GET",    "/v1/erasures/{id}",                Access::admin},
    // They hold events as they were sent, users' ids with them.
    {"GET",    "/v1/dead-letters",                 Access::admin},
    {"POST",   "/v1/dead-letters/replay",          Access::admin},
    {"GET",    "/v1/accounts",                     Access::admin},
    {"POST",   "/v1/accounts",                     Access::admin},
    {"DELETE", "/v1/accounts/{name}",              Access::admin},
    {"PUT",    "/v1/accounts/{name}/role",         Access::admin},
    {"PUT",    "/v1/accounts/{name}/password",     Access::admin},
    {"DELETE", "/v1/accounts/{name}/sessions",     Access::admin},
    {"GET",    "/v1/audit",                        Access::admin},
});
// clang-format on

using MethodAccesses = std::vector<std::pair<std::string_view, Access>>;

const std::unordered_map<std::string_view, MethodAccesses>& accesses_by_pattern() {
  static const auto by_pattern = [] {
    std::unordered_map<std::string_view, MethodAccesses> all;
    for (const auto& route : kRouteAccesses) all[route.pattern].emplace_back(route.method, route.access);
    return all;
  }();
  return by_pattern;
}

}  // namespace

std::span<const RouteAccess> route_accesses() { return kRouteAccesses; }

Access access_of(std::string_view method, std::string_view pattern) {
  // What a browser asks before a request of another origin, without anything that says who asks.
  if (method == "OPTIONS") return Access::open;
  std::string plain;  // The router's "{id*}" takes the rest of the path, which the document's "{id}" does not tell.
  if (pattern.ends_with("*}")) {
    plain = std::string(pattern.substr(0, pattern.size() - 2)) + "}";
    pattern = plain;
  }
  const auto& all = accesses_by_pattern();
  if (const auto found = all.find(pattern); found != all.end())
    for (const auto& [of, access] : found->second)
      if (of == method) return access;
  return pattern.starts_with("/v1/") ? Access::admin : Access::open;
}

catalog::Role role_for(Access access) {
  switch (access) {
    case Access::analyst:
      return catalog::Role::analyst;
    case Access::manager:
      return catalog::Role::manager;
    case Access::admin:
      return catalog::Role::admin;
    default:
      return catalog::Role::viewer;
  }
}

}  // namespace marquee::api
