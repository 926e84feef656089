// Tokens: what an impression or click address carries, so that only what was served is counted, and once.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace marquee::decision {

using TokenKey = std::array<std::uint8_t, 32>;

struct Token {
  enum class Kind : std::uint8_t { impression = 1, click = 2 };
  Kind kind = Kind::impression;
  std::int64_t issued_ms = 0;  ///< When its decision was made.
  std::int64_t expires_ms = 0;
  std::uint8_t placement = 0;  ///< Number within the decision.
  std::string body;            ///< Whatever its maker needs again: site, decision, ad, slot, user are in it.

  [[nodiscard]] bool is_expired(std::int64_t now_ms) const { return now_ms >= expires_ms; }
};

/// Seals tokens with a key that only this Marquee has (XChaCha20-Poly1305, libsodium): nobody else can make one, change
/// one or read who the user is, as the address is seen by the page and by whoever its ad comes from. The tag is
/// compared in constant time. Thread safe.
class TokenBox {
 public:
  explicit TokenBox(const TokenKey& key);

  /// base64url without padding (RFC 4648, section 5).
  [[nodiscard]] std::string seal(const Token& token) const;
  /// nullopt where it is forged: altered, cut, of another key, or of another kind. It may have expired.
  [[nodiscard]] std::optional<Token> open(std::string_view text, Token::Kind kind) const;

 private:
  TokenKey key_;
};

}  // namespace marquee::decision
