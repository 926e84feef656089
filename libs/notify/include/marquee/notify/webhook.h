// One POST to a webhook: TLS with verified certificates, bounded in time and size, and only to addresses that may be
// meant.
#pragma once

#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "marquee/base/time.h"

namespace marquee::notify {

struct WebhookOptions {
  bool allows_private = false;  ///< Whether addresses that are not public may be sent to; see is_public.
  std::string ca_file;          ///< Certificates (PEM) that receivers' are checked by; empty: the system's.
  Millis connect_timeout{5'000};
  Millis timeout{15'000};  ///< For all of it, up to the head of the answer.
  std::string agent = "Marquee";
};

struct WebhookPost {
  std::string url;
  std::vector<std::pair<std::string, std::string>> fields;  ///< Header fields; without line breaks.
  std::string_view body;
};

/// What came of it. Redirects are not followed: 3xx is a refusal as any other.
struct WebhookOutcome {
  int status = 0;           ///< 0 where no answer came.
  std::string error;        ///< Empty where it was taken (2xx).
  bool is_refused = false;  ///< Not sent at all, and never will be: the address may not be sent to.
  std::optional<Millis> retry_after;

  [[nodiscard]] bool is_taken() const { return error.empty(); }
};

/// Resolves the host, keeps the addresses that are allowed, and connects to one of those very addresses, so that a name
/// that changes its address in between changes nothing. The answer's body is not kept. Blocks; after `stop` is asked
/// for it ends within two seconds. Thread safe. That the name is resolved in time is the system's resolver's matter.
[[nodiscard]] WebhookOutcome post_webhook(const WebhookOptions& options, const WebhookPost& post,
                                          const std::stop_token& stop);

}  // namespace marquee::notify
