// ID tokens of OpenID Connect: their signature and what they claim.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "marquee/base/result.h"
#include "marquee/base/time.h"

namespace marquee::access {

struct TokenRules {
  std::string issuer;     ///< Exactly as the provider's discovery document has it.
  std::string audience;   ///< Our client id.
  std::string nonce;      ///< Of the request that it answers.
  Millis leeway{60'000};  ///< By which clocks may differ.
};

/// What a signed token (JWS, compact) claims, once its signature is right by one of the keys in `jwks` (RFC 7517, JSON)
/// and it says what `rules` ask (OpenID Connect Core, section 3.1.3.7). RS256 and ES256 are taken, by keys of 2048 bits
/// or P-256, and nothing else: not "none", and no key of another kind. Action::retry where no key fits, as the provider
/// may have newer ones; Action::reject names what is wrong, without the token.
[[nodiscard]] Result<nlohmann::json> verify_id_token(const std::string& token, const std::string& jwks,
                                                     const TokenRules& rules, WallTime now);

}  // namespace marquee::access
