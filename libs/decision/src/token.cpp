#include "marquee/decision/token.h"

#include <sodium.h>

#include <cstring>
#include <vector>

namespace marquee::decision {
namespace {

constexpr unsigned char kVersion = 1;
constexpr std::size_t kNonce = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
constexpr std::size_t kTag = crypto_aead_xchacha20poly1305_ietf_ABYTES;
constexpr std::size_t kHead = 1 + 8 + 8;     ///< Placement, issued, expires.
constexpr std::size_t kMostText = 8 * 1024;  ///< Of an address; a longer one is none of ours.
constexpr int kVariant = sodium_base64_VARIANT_URLSAFE_NO_PADDING;

void put(std::string& out, std::int64_t number) {
  char bytes[sizeof number];
  std::memcpy(bytes, &number, sizeof number);
  out.append(bytes, sizeof bytes);
}

std::int64_t get(const unsigned char* bytes) {
  std::int64_t number = 0;
  std::memcpy(&number, bytes, sizeof number);
  return number;
}

/// What is not hidden but bound to the token.
std::array<unsigned char, 2> binding(Token::Kind kind) { return {kVersion, static_cast<unsigned char>(kind)}; }

}  // namespace

TokenBox::TokenBox(const TokenKey& key) : key_(key) {
  [[maybe_unused]] const int was_ready = ::sodium_init();  // Chooses the fastest code; without it a slower one runs.
}

std::string TokenBox::seal(const Token& token) const {
  std::string plain;
  plain.reserve(kHead + token.body.size());
  plain += static_cast<char>(token.placement);
  put(plain, token.issued_ms);
  put(plain, token.expires_ms);
  plain += token.body;
  std::vector<unsigned char> sealed(kNonce + plain.size() + kTag);
  ::randombytes_buf(sealed.data(), kNonce);
  const auto bound = binding(token.kind);
  ::crypto_aead_xchacha20poly1305_ietf_encrypt(sealed.data() + kNonce, nullptr,
                                               reinterpret_cast<const unsigned char*>(plain.data()), plain.size(),
                                               bound.data(), bound.size(), nullptr, sealed.data(), key_.data());
  std::string text(sodium_base64_encoded_len(sealed.size(), kVariant), '\0');
  ::sodium_bin2base64(text.data(), text.size(), sealed.data(), sealed.size(), kVariant);
  text.pop_back();  // The terminating zero.
  return text;
}

std::optional<Token> TokenBox::open(std::string_view text, Token::Kind kind) const {
  if (text.size() > kMostText) return std::nullopt;
  std::vector<unsigned char> sealed(text.size() * 3 / 4 + 1);
  std::size_t size = 0;
  if (::sodium_base642bin(sealed.data(), sealed.size(), text.data(), text.size(), nullptr, &size, nullptr, kVariant) !=
          0 ||
      size < kNonce + kHead + kTag)
    return std::nullopt;
  std::vector<unsigned char> plain(size - kNonce - kTag);
  const auto bound = binding(kind);
  if (::crypto_aead_xchacha20poly1305_ietf_decrypt(plain.data(), nullptr, nullptr, sealed.data() + kNonce,
                                                   size - kNonce, bound.data(), bound.size(), sealed.data(),
                                                   key_.data()) != 0)
    return std::nullopt;
  return Token{.kind = kind,
               .issued_ms = get(plain.data() + 1),
               .expires_ms = get(plain.data() + 1 + 8),
               .placement = plain[0],
               .body = std::string(reinterpret_cast<const char*>(plain.data()) + kHead, plain.size() - kHead)};
}

}  // namespace marquee::decision
