// One POST to a webhook: TLS with verified certificates, bounded in time and size, and only to addresses that may be
// meant.
#pragma once

#include <boost/asio/ip/address.hpp>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "marquee/base/time.h"

namespace marquee::notify {

/// The addresses of a host's name; throws boost::system::system_error where it is not known. Called from any thread.
using Resolve = std::function<std::vector<boost::asio::ip::address>(const std::string& host)>;
/// As the system resolves names, which may take as long as it likes.
[[nodiscard]] std::vector<boost::asio::ip::address> resolve_by_system(const std::string& host);

struct WebhookOptions {
  bool allows_private = false;    ///< Whether addresses that are not public may be sent to; see is_public.
  std::string ca_file;            ///< Certificates (PEM) that receivers' are checked by; empty: the system's.
  Millis connect_timeout{5'000};  ///< To resolve the name, and again to connect.
  Millis timeout{15'000};         ///< For all of it, up to the head of the answer.
  std::string agent = "Marquee";
  Resolve resolve = resolve_by_system;
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
/// for it ends within two seconds. Thread safe. A name is resolved by a thread of its own, which is left alone where it
/// takes too long; while 16 such threads are left, nothing else is resolved.
[[nodiscard]] WebhookOutcome post_webhook(const WebhookOptions& options, const WebhookPost& post,
                                          const std::stop_token& stop);

}  // namespace marquee::notify
