// Which addresses a webhook may lead to.
#pragma once

#include <boost/asio/ip/address.hpp>
#include <cstdint>
#include <string>
#include <string_view>

#include "marquee/base/result.h"

namespace marquee::notify {

struct WebhookUrl {
  bool is_tls = false;
  std::string host;  ///< Name, or address without brackets.
  std::uint16_t port = 0;
  std::string header;  ///< As the field Host has it.
  std::string target;  ///< Path and query; at least "/".
};

/// http:// or https://, printable ASCII, without user, password or fragment. Action::reject, "url: ...".
[[nodiscard]] Result<WebhookUrl> parse_webhook_url(std::string_view text);

/// Whether anyone on the Internet could be meant: globally reachable unicast by IANA's special-purpose registries (RFC
/// 6890 and its updates). Not so: loopback, private, shared, link-local (cloud metadata at 169.254.169.254),
/// unique-local, multicast, documentation and reserved addresses, and IPv6 addresses that carry an IPv4 one (mapped,
/// compatible, NAT64, 6to4, Teredo), whatever that is.
[[nodiscard]] bool is_public(const boost::asio::ip::address& address);

}  // namespace marquee::notify
