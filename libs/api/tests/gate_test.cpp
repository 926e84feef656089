#include "gate.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <set>

#include "marquee/api/api.h"
#include "oidc_answers.h"
#include "route_access.h"

namespace marquee::api {
namespace {

http::Request gate_request(std::initializer_list<std::pair<const char*, const char*>> fields,
                           const char* method = "GET") {
  http::Request request;
  request.method = method;
  request.path = "/";
  for (const auto& [name, value] : fields) request.headers.add(name, value);
  return request;
}

TEST(RouteAccess, has_every_route_of_the_document_and_no_others) {
  const auto document = Json::parse(openapi_json());
  std::set<std::pair<std::string, std::string>> documented, known;
  for (const auto& [path, methods] : document.at("paths").items()) {
    for (const auto& [method, operation] : methods.items()) {
      if (method == "parameters") continue;
      std::string upper = method;
      for (char& c : upper) c = static_cast<char>(std::toupper(c));
      documented.emplace(upper, path);
      const auto access = access_of(upper, path);
      const bool has_role = access != Access::open && access != Access::keyed;
      EXPECT_EQ(operation.value("x-role", ""), has_role ? std::string(catalog::name_of(role_for(access))) : "")
          << upper << " " << path;
    }
  }
  for (const auto& route : route_accesses()) known.emplace(route.method, route.pattern);
  EXPECT_EQ(known.size(), route_accesses().size()) << "one twice";
  EXPECT_EQ(known, documented);
}

TEST(RouteAccess, is_an_admins_where_nobody_said) {
  EXPECT_EQ(access_of("GET", "/v1/something/new"), Access::admin);
  EXPECT_EQ(access_of("PATCH", "/v1/campaigns"), Access::admin);
  EXPECT_EQ(access_of("DELETE", "/v1/profiles/{user_id*}"), Access::admin);
  EXPECT_EQ(access_of("GET", "/v1/campaigns"), Access::viewer);
  EXPECT_EQ(access_of("GET", "/{path*}"), Access::open);
  EXPECT_EQ(access_of("OPTIONS", "/v1/decisions"), Access::open) << "a preflight names nobody";
}

TEST(Origin, is_told_by_the_browser) {
  const auto same = [](std::initializer_list<std::pair<const char*, const char*>> fields) {
    return is_same_origin(gate_request(fields));
  };
  EXPECT_TRUE(same({{"Host", "m.example"}, {"Sec-Fetch-Site", "same-origin"}}));
  EXPECT_FALSE(same({{"Host", "m.example"}, {"Sec-Fetch-Site", "same-site"}, {"Origin", "http://m.example"}}));
  EXPECT_TRUE(same({{"Host", "m.example:8080"}, {"Origin", "http://m.example:8080"}}));
  EXPECT_FALSE(same({{"Host", "m.example:8080"}, {"Origin", "http://m.example"}}));
  EXPECT_FALSE(same({{"Host", "m.example"}, {"Origin", "null"}}));
  EXPECT_FALSE(same({{"Host", ""}, {"Origin", "null"}}));
  EXPECT_FALSE(same({{"Host", "m.example"}}));
  EXPECT_FALSE(is_cross_site(gate_request({{"Host", "m.example"}}))) << "of no browser";
  EXPECT_TRUE(is_cross_site(gate_request({{"Host", "m.example"}, {"Origin", "http://evil.example"}})));
}

TEST(Cookie, is_found_among_others_and_by_its_whole_name) {
  const auto request = gate_request({{"Cookie", "a=1; xmarquee=2; marquee=3; marquee_oidc=4"}, {"cookie", "later=5"}});
  EXPECT_EQ(find_cookie(request, "marquee"), "3");
  EXPECT_EQ(find_cookie(request, "marquee_oidc"), "4");
  EXPECT_EQ(find_cookie(request, "later"), "5");
  EXPECT_EQ(find_cookie(request, "arquee"), "");
}

TEST(Cookie, of_one_port_is_none_of_another) {
  const auto at = [](const char* host, const char* cookie) {
    return cookie_of(gate_request({{"Host", host}, {"Cookie", cookie}}));
  };
  EXPECT_EQ(at("127.0.0.1:8080", "marquee_session_8080=s"), "s");
  EXPECT_EQ(at("127.0.0.1:8081", "marquee_session_8080=s"), "");
  EXPECT_EQ(at("m.example", "__Host-marquee_session=s; marquee_session=t"), "s");
  const auto set = set_cookie(gate_request({{"Host", "m.example"}}), "s", 60, /*is_secure=*/true);
  EXPECT_EQ(set, "__Host-marquee_session=s; Path=/; Max-Age=60; HttpOnly; SameSite=Lax; Secure");
}

TEST(OwnPath, is_never_of_another_origin) {
  EXPECT_EQ(own_path("/ctr?site=campus&by=college_id"), "/ctr?site=campus&by=college_id");
  for (const char* other :
       {"", "ctr", "//evil.example", "/\\evil.example", "https://evil.example", "/a\r\nSet-Cookie: x", "/a b"})
    EXPECT_EQ(own_path(other), "/ctr") << other;
}

}  // namespace
}  // namespace marquee::api
