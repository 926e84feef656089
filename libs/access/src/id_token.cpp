#include "marquee/access/id_token.h"

#include <cjose/cjose.h>
#include <fmt/format.h>
#include <openssl/obj_mac.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <optional>
#include <vector>

namespace marquee::access {
namespace {

using Claims = nlohmann::json;
using Signed = std::unique_ptr<cjose_jws_t, decltype(&cjose_jws_release)>;
using Key = std::unique_ptr<cjose_jwk_t, decltype(&cjose_jwk_release)>;

constexpr std::size_t kMostTokenBytes = 64 * 1024;
constexpr std::size_t kLeastRsaBits = 2048;

std::string member_text(const Claims& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::optional<std::int64_t> member_seconds(const Claims& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end() || !found->is_number()) return std::nullopt;
  const auto value = found->get<double>();
  if (!(value >= 0 && value < 1e12)) return std::nullopt;
  return static_cast<std::int64_t>(value);
}

/// Whether the key may have made a signature of `algorithm`.
bool fits_algorithm(const Claims& key, const std::string& algorithm) {
  const auto use = member_text(key, "use"), alg = member_text(key, "alg");
  if (!use.empty() && use != "sig") return false;
  if (!alg.empty() && alg != algorithm) return false;
  if (algorithm == "RS256") return member_text(key, "kty") == "RSA";
  return member_text(key, "kty") == "EC" && member_text(key, "crv") == "P-256";
}

bool is_strong(const cjose_jwk_t* key, const std::string& algorithm) {
  cjose_err error{};
  if (algorithm == "RS256") return cjose_jwk_get_keysize(key, &error) >= kLeastRsaBits;
  return cjose_jwk_EC_get_curve(key, &error) == CJOSE_JWK_EC_P_256;
}

/// The public parts alone: a symmetric key, or a private one, is never read.
Claims public_part(const Claims& key) {
  Claims part = Claims::object();
  for (const char* name : {"kty", "n", "e", "crv", "x", "y", "kid"})
    if (const auto found = key.find(name); found != key.end()) part[name] = *found;
  return part;
}

std::vector<Claims> fitting_keys(const Claims& jwks, const std::string& algorithm, const std::string& kid) {
  std::vector<Claims> fitting;
  const auto keys = jwks.find("keys");
  if (keys == jwks.end() || !keys->is_array()) return fitting;
  for (const auto& key : *keys)
    if (key.is_object() && fits_algorithm(key, algorithm) && (kid.empty() || member_text(key, "kid") == kid))
      fitting.push_back(public_part(key));
  return fitting;
}

Result<void> check_signature(cjose_jws_t* token, const std::string& jwks_text) {
  cjose_err error{};
  cjose_header_t* header = cjose_jws_get_protected(token);
  const char* alg_text = cjose_header_get(header, CJOSE_HDR_ALG, &error);
  const char* kid_text = cjose_header_get(header, CJOSE_HDR_KID, &error);
  const std::string algorithm = alg_text ? alg_text : "", kid = kid_text ? kid_text : "";
  if (algorithm != "RS256" && algorithm != "ES256")
    return Error::reject(
        fmt::format("the ID token is signed by \"{}\"; RS256 and ES256 are taken", algorithm.substr(0, 32)));
  const auto jwks = Claims::parse(jwks_text, nullptr, /*allow_exceptions=*/false);
  if (!jwks.is_object()) return Error::retry("the provider's keys are no JSON object");
  const auto keys = fitting_keys(jwks, algorithm, kid);
  if (keys.empty()) return Error::retry("the provider has no key that the ID token names");
  for (const auto& one : keys) {
    const auto text = one.dump();
    const Key key(cjose_jwk_import(text.data(), text.size(), &error), &cjose_jwk_release);
    if (key && is_strong(key.get(), algorithm) && cjose_jws_verify(token, key.get(), &error)) return {};
  }
  return Error::reject("the signature of the ID token is wrong");
}

Result<void> check_audience(const Claims& claims, const std::string& client) {
  const auto audience = claims.find("aud");
  bool is_ours = false, has_others = false;
  if (audience != claims.end() && audience->is_string()) is_ours = *audience == client;
  if (audience != claims.end() && audience->is_array())
    for (const auto& one : *audience) (one == client ? is_ours : has_others) = true;
  if (!is_ours) return Error::reject("aud: the ID token is for somebody else");
  const auto party = member_text(claims, "azp");
  if (has_others ? party != client : claims.contains("azp") && party != client)
    return Error::reject("azp: the ID token was issued to somebody else");
  return {};
}

Result<void> check_times(const Claims& claims, const TokenRules& rules, WallTime now) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count();
  const auto leeway = std::chrono::duration_cast<std::chrono::seconds>(rules.leeway).count();
  const auto expires = member_seconds(claims, "exp"), issued = member_seconds(claims, "iat");
  if (!expires || seconds >= *expires + leeway) return Error::reject("exp: the ID token has expired");
  if (!issued || *issued > seconds + leeway) return Error::reject("iat: the ID token is of the future");
  if (claims.contains("nbf") && member_seconds(claims, "nbf").value_or(INT64_MAX) > seconds + leeway)
    return Error::reject("nbf: the ID token is not valid yet");
  return {};
}

}  // namespace

Result<nlohmann::json> verify_id_token(const std::string& token, const std::string& jwks, const TokenRules& rules,
                                       WallTime now) {
  if (token.size() > kMostTokenBytes) return Error::reject("the ID token is too long");
  cjose_err error{};
  const Signed jws(cjose_jws_import(token.data(), token.size(), &error), &cjose_jws_release);
  if (!jws) return Error::reject("the ID token is no signed token (JWS, compact)");
  if (auto checked = check_signature(jws.get(), jwks); !checked) return checked.error();
  std::uint8_t* bytes = nullptr;
  std::size_t size = 0;
  if (!cjose_jws_get_plaintext(jws.get(), &bytes, &size, &error)) return Error::reject("the ID token claims nothing");
  auto claims = Claims::parse(bytes, bytes + size, nullptr, /*allow_exceptions=*/false);
  if (!claims.is_object()) return Error::reject("the ID token's claims are no JSON object");
  if (member_text(claims, "iss") != rules.issuer) return Error::reject("iss: the ID token is of another issuer");
  if (auto checked = check_audience(claims, rules.audience); !checked) return checked.error();
  if (auto checked = check_times(claims, rules, now); !checked) return checked.error();
  if (rules.nonce.empty() || member_text(claims, "nonce") != rules.nonce)
    return Error::reject("nonce: the ID token answers another request");
  const auto subject = member_text(claims, "sub");
  if (subject.empty() || subject.size() > 255) return Error::reject("sub: expected 1 to 255 bytes");
  return claims;
}

}  // namespace marquee::access
