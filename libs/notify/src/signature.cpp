#include "marquee/notify/signature.h"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>

#include "marquee/base/base64.h"

namespace marquee::notify {
namespace {

constexpr std::string_view kPrefix = "whsec_";

std::string hmac_sha256(std::string_view key, std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> bytes{};
  unsigned size = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), reinterpret_cast<const unsigned char*>(text.data()),
       text.size(), bytes.data(), &size);
  return {reinterpret_cast<const char*>(bytes.data()), size};
}

}  // namespace

std::string webhook_secret(std::string_view root, std::string_view name) {
  return std::string(kPrefix) + encode_base64(hmac_sha256(root, name));
}

std::string webhook_signature(std::string_view secret, std::string_view id, std::int64_t timestamp,
                              std::string_view body) {
  if (secret.starts_with(kPrefix)) secret.remove_prefix(kPrefix.size());
  const auto key = decode_base64(secret).value_or("");
  return "v1," + encode_base64(hmac_sha256(key, fmt::format("{}.{}.{}", id, timestamp, body)));
}

}  // namespace marquee::notify
