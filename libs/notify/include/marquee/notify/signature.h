// Signatures of webhooks, as Standard Webhooks 1.0 has them (standardwebhooks.com).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace marquee::notify {

/// "whsec_" and 32 bytes in base64: HMAC-SHA256 of the name under `root`. So no secret needs to be kept, and whoever
/// reads the catalog learns none. A receiver's secret is that of the delivery or alert it belongs to.
[[nodiscard]] std::string webhook_secret(std::string_view root, std::string_view name);

/// "v1," and the HMAC-SHA256 of "<id>.<timestamp>.<body>" in base64; the key is what `secret` has after "whsec_".
/// `timestamp` is in seconds since 1970.
[[nodiscard]] std::string webhook_signature(std::string_view secret, std::string_view id, std::int64_t timestamp,
                                            std::string_view body);

}  // namespace marquee::notify
