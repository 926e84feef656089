#include "marquee/access/id_token.h"

#include <cjose/cjose.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <functional>
#include <memory>

#include "marquee/access/oidc.h"

namespace marquee::access {
namespace {

using Json = nlohmann::json;

constexpr std::int64_t kNowSeconds = 1'800'000'000;
const WallTime kTokenNow{Millis(kNowSeconds * 1000)};
const TokenRules kTokenRules{.issuer = "https://id.example", .audience = "marquee", .nonce = "n-1"};

/// A provider's key, which signs and is told.
class SigningKey {
 public:
  explicit SigningKey(cjose_jwk_t* key, const std::string& kid) : key_(key, &cjose_jwk_release) {
    cjose_err error{};
    cjose_jwk_set_kid(key, kid.data(), kid.size(), &error);
  }
  static SigningKey rsa(const std::string& kid = "r", std::size_t bits = 2048) {
    static const std::uint8_t kExponent[] = {1, 0, 1};
    cjose_err error{};
    return SigningKey(cjose_jwk_create_RSA_random(bits, kExponent, 3, &error), kid);
  }
  static SigningKey ec(const std::string& kid = "e", cjose_jwk_ec_curve curve = CJOSE_JWK_EC_P_256) {
    cjose_err error{};
    return SigningKey(cjose_jwk_create_EC_random(curve, &error), kid);
  }
  static SigningKey symmetric(const std::string& secret, const std::string& kid) {
    cjose_err error{};
    return SigningKey(
        cjose_jwk_create_oct_spec(reinterpret_cast<const std::uint8_t*>(secret.data()), secret.size(), &error), kid);
  }

  [[nodiscard]] Json told() const {
    cjose_err error{};
    char* text = cjose_jwk_to_json(key_.get(), false, &error);
    auto json = Json::parse(text);
    std::free(text);
    return json;
  }

  [[nodiscard]] std::string sign(const Json& claims, const char* algorithm, const char* kid) const {
    cjose_err error{};
    cjose_header_t* header = cjose_header_new(&error);
    cjose_header_set(header, CJOSE_HDR_ALG, algorithm, &error);
    if (kid) cjose_header_set(header, CJOSE_HDR_KID, kid, &error);
    const auto text = claims.dump();
    cjose_jws_t* jws =
        cjose_jws_sign(key_.get(), header, reinterpret_cast<const std::uint8_t*>(text.data()), text.size(), &error);
    EXPECT_NE(jws, nullptr) << error.message;
    const char* compact = nullptr;
    cjose_jws_export(jws, &compact, &error);
    std::string token(compact);
    cjose_jws_release(jws);
    cjose_header_release(header);
    return token;
  }

 private:
  std::unique_ptr<cjose_jwk_t, decltype(&cjose_jwk_release)> key_;
};

Json good_claims() {
  return {{"iss", "https://id.example"}, {"aud", "marquee"},      {"sub", "u-1"}, {"nonce", "n-1"},
          {"exp", kNowSeconds + 600},    {"iat", kNowSeconds - 5}};
}

std::string jwks_of(const std::vector<Json>& keys) { return Json{{"keys", keys}}.dump(); }

std::string failure(const Result<Json>& result) { return result ? "taken" : result.error().message; }

TEST(IdToken, is_taken_by_either_algorithm) {
  const auto rsa = SigningKey::rsa();
  const auto ec = SigningKey::ec();
  const auto jwks = jwks_of({ec.told(), rsa.told()});
  for (const auto& token : {rsa.sign(good_claims(), "RS256", "r"), ec.sign(good_claims(), "ES256", "e"),
                            rsa.sign(good_claims(), "RS256", nullptr)}) {
    const auto claims = verify_id_token(token, jwks, kTokenRules, kTokenNow);
    ASSERT_TRUE(claims) << claims.error().message;
    EXPECT_EQ(claims->at("sub"), "u-1");
  }
}

TEST(IdToken, is_refused_where_any_of_its_characters_is_another) {
  const auto key = SigningKey::ec();
  const auto jwks = jwks_of({key.told()});
  const auto token = key.sign(good_claims(), "ES256", "e");
  for (std::size_t i = 0; i + 1 < token.size(); i += 7) {  // The last character may have bits that mean nothing.
    auto other = token;
    other[i] = other[i] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(verify_id_token(other, jwks, kTokenRules, kTokenNow)) << i;
  }
  for (const char* nothing : {"", ".", "..", "a.b", "a.b.c", "a.b.c.d", "eyJhbGciOiJub25lIn0.e30."})
    EXPECT_FALSE(verify_id_token(nothing, jwks, kTokenRules, kTokenNow)) << nothing;
}

TEST(IdToken, of_another_key_is_refused) {
  const auto key = SigningKey::rsa(), other = SigningKey::rsa();
  EXPECT_EQ(
      failure(verify_id_token(other.sign(good_claims(), "RS256", "r"), jwks_of({key.told()}), kTokenRules, kTokenNow)),
      "the signature of the ID token is wrong");
  const auto unknown =
      verify_id_token(key.sign(good_claims(), "RS256", "newer"), jwks_of({key.told()}), kTokenRules, kTokenNow);
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().action, Action::retry) << "the provider may have changed its keys";
}

TEST(IdToken, is_not_taken_by_a_public_key_used_as_a_secret) {
  const auto key = SigningKey::rsa();
  const auto token = SigningKey::symmetric(key.told().dump(), "r").sign(good_claims(), "HS256", "r");
  EXPECT_FALSE(verify_id_token(token, jwks_of({key.told()}), kTokenRules, kTokenNow));
  // Nor by a secret that somebody put among the keys.
  const Json secret = {{"kty", "oct"}, {"k", "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2U"}, {"kid", "r"}};
  EXPECT_FALSE(verify_id_token(token, jwks_of({secret}), kTokenRules, kTokenNow));
}

TEST(IdToken, of_a_weak_or_other_key_is_refused) {
  const auto weak = SigningKey::rsa("r", 1024);
  EXPECT_FALSE(verify_id_token(weak.sign(good_claims(), "RS256", "r"), jwks_of({weak.told()}), kTokenRules, kTokenNow));
  const auto key = SigningKey::rsa();
  auto for_encryption = key.told();
  for_encryption["use"] = "enc";
  EXPECT_FALSE(
      verify_id_token(key.sign(good_claims(), "RS256", "r"), jwks_of({for_encryption}), kTokenRules, kTokenNow));
  EXPECT_FALSE(verify_id_token(key.sign(good_claims(), "RS512", "r"), jwks_of({key.told()}), kTokenRules, kTokenNow));
}

TEST(IdToken, must_claim_what_the_rules_ask) {
  const auto key = SigningKey::ec();
  const auto jwks = jwks_of({key.told()});
  const auto with = [&](const std::function<void(Json&)>& change) {
    auto claims = good_claims();
    change(claims);
    return failure(verify_id_token(key.sign(claims, "ES256", "e"), jwks, kTokenRules, kTokenNow));
  };
  EXPECT_EQ(with([](Json&) {}), "taken");
  EXPECT_TRUE(with([](Json& c) { c["iss"] = "https://id.example/"; }).starts_with("iss"));
  EXPECT_TRUE(with([](Json& c) { c.erase("iss"); }).starts_with("iss"));
  EXPECT_TRUE(with([](Json& c) { c["aud"] = "other"; }).starts_with("aud"));
  EXPECT_TRUE(with([](Json& c) { c["aud"] = Json::array(); }).starts_with("aud"));
  EXPECT_EQ(with([](Json& c) { c["aud"] = {"marquee"}; }), "taken");
  EXPECT_TRUE(with([](Json& c) { c["aud"] = {"marquee", "other"}; }).starts_with("azp"));
  EXPECT_EQ(with([](Json& c) {
              c["aud"] = {"marquee", "other"};
              c["azp"] = "marquee";
            }),
            "taken");
  EXPECT_TRUE(with([](Json& c) { c["azp"] = "other"; }).starts_with("azp"));
  EXPECT_TRUE(with([](Json& c) { c["azp"] = 7; }).starts_with("azp"));
  EXPECT_EQ(with([](Json& c) { c["exp"] = kNowSeconds - 59; }), "taken") << "clocks differ a little";
  EXPECT_TRUE(with([](Json& c) { c["exp"] = kNowSeconds - 60; }).starts_with("exp"));
  EXPECT_TRUE(with([](Json& c) { c["exp"] = "soon"; }).starts_with("exp"));
  EXPECT_TRUE(with([](Json& c) { c.erase("exp"); }).starts_with("exp"));
  EXPECT_TRUE(with([](Json& c) { c["iat"] = kNowSeconds + 61; }).starts_with("iat"));
  EXPECT_TRUE(with([](Json& c) { c["nbf"] = kNowSeconds + 61; }).starts_with("nbf"));
  EXPECT_TRUE(with([](Json& c) { c["nonce"] = "n-2"; }).starts_with("nonce"));
  EXPECT_TRUE(with([](Json& c) { c.erase("nonce"); }).starts_with("nonce"));
  EXPECT_TRUE(with([](Json& c) { c["sub"] = ""; }).starts_with("sub"));
  EXPECT_TRUE(with([](Json& c) { c["sub"] = std::string(256, 'x'); }).starts_with("sub"));
}

TEST(OidcRoles, are_the_most_that_a_claim_gives) {
  OidcOptions options{.role_claim = "realm_access.roles", .roles = *parse_role_map("admins=admin,editors=manager")};
  using catalog::Role;
  EXPECT_EQ(role_of_claims(R"({"realm_access":{"roles":["editors","admins","x"]}})", options), Role::admin);
  EXPECT_EQ(role_of_claims(R"({"realm_access":{"roles":"editors"}})", options), Role::manager);
  EXPECT_EQ(role_of_claims(R"({"realm_access":{"roles":["x",7,null]}})", options), std::nullopt);
  EXPECT_EQ(role_of_claims(R"({"realm_access":7})", options), std::nullopt);
  EXPECT_EQ(role_of_claims("[]", options), std::nullopt);
  options.default_role = Role::viewer;
  EXPECT_EQ(role_of_claims("{}", options), Role::viewer);
  options.role_claim = "https://example.com/roles";
  EXPECT_EQ(role_of_claims(R"({"https://example.com/roles":["admins"]})", options), Role::admin);
}

TEST(OidcRoles, are_read_from_text_or_refused) {
  const auto roles = parse_role_map("cn=staff,dc=x=viewer");
  EXPECT_FALSE(roles) << "a value with a comma cannot be told";
  EXPECT_EQ(parse_role_map("a=b=viewer")->front().first, "a=b");
  for (const char* bad : {"admins", "admins=root", "=admin", "a=admin,,b=admin"})
    EXPECT_FALSE(parse_role_map(bad)) << bad;
  EXPECT_TRUE(parse_role_map("")->empty());
}

}  // namespace
}  // namespace marquee::access
