#include "marquee/notify/address.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace marquee::notify {
namespace {

namespace ip = boost::asio::ip;

/// IPv4 networks that are not globally reachable.
struct Network4 {
  std::uint32_t address;
  unsigned bits;
};
constexpr std::uint32_t of(std::uint32_t a, std::uint32_t b, std::uint32_t c, std::uint32_t d) {
  return a << 24 | b << 16 | c << 8 | d;
}
constexpr std::array kNotPublic4 = {
    Network4{of(0, 0, 0, 0), 8},        // This network.
    Network4{of(10, 0, 0, 0), 8},       // Private.
    Network4{of(100, 64, 0, 0), 10},    // Shared: carriers', and metadata of some clouds (100.100.100.200).
    Network4{of(127, 0, 0, 0), 8},      // Loopback.
    Network4{of(169, 254, 0, 0), 16},   // Link-local, and metadata of most clouds.
    Network4{of(172, 16, 0, 0), 12},    // Private.
    Network4{of(192, 0, 0, 0), 24},     // Protocol assignments.
    Network4{of(192, 0, 2, 0), 24},     // Documentation.
    Network4{of(192, 88, 99, 0), 24},   // 6to4 relays.
    Network4{of(192, 168, 0, 0), 16},   // Private.
    Network4{of(198, 18, 0, 0), 15},    // Benchmarks.
    Network4{of(198, 51, 100, 0), 24},  // Documentation.
    Network4{of(203, 0, 113, 0), 24},   // Documentation.
    Network4{of(224, 0, 0, 0), 4},      // Multicast.
    Network4{of(240, 0, 0, 0), 4},      // Reserved, and broadcast.
};

bool is_public_v4(const ip::address_v4& address) {
  return std::ranges::none_of(kNotPublic4, [value = address.to_uint()](const Network4& network) {
    return (value ^ network.address) >> (32 - network.bits) == 0;
  });
}

bool begins_with(const ip::address_v6::bytes_type& bytes, std::initializer_list<unsigned char> prefix) {
  return std::equal(prefix.begin(), prefix.end(), bytes.begin());
}

bool is_public_v6(const ip::address_v6& address) {
  const auto bytes = address.to_bytes();
  // Only 2000::/3 is given out for global unicast; that leaves out ::1, ::, mapped and compatible IPv4, NAT64
  // (64:ff9b::/96), discard, unique-local (fc00::/7), link-local (fe80::/10), site-local and multicast (ff00::/8).
  if ((bytes[0] & 0xE0) != 0x20) return false;
  const bool is_special = begins_with(bytes, {0x20, 0x02}) ||                       // 6to4
                          begins_with(bytes, {0x20, 0x01, 0x0D, 0xB8}) ||           // documentation
                          (begins_with(bytes, {0x20, 0x01}) && bytes[2] < 0x02) ||  // 2001::/23: Teredo, ORCHID, ...
                          (begins_with(bytes, {0x3F, 0xFF}) && bytes[2] < 0x10);    // documentation (RFC 9637)
  return !is_special;
}

Error wrong_url(std::string_view what) { return Error::reject(fmt::format("url: {}", what)); }

}  // namespace

bool is_public(const ip::address& address) {
  return address.is_v4() ? is_public_v4(address.to_v4()) : is_public_v6(address.to_v6());
}

Result<WebhookUrl> parse_webhook_url(std::string_view text) {
  if (text.size() > 2000) return wrong_url("at most 2000 bytes are taken");
  if (!std::ranges::all_of(text,
                           [](char c) { return c > ' ' && c < 0x7F && c != '\\' && c != '"' && c != '<' && c != '>'; }))
    return wrong_url("has a character that none may have; write it percent-encoded");
  WebhookUrl url;
  if (text.starts_with("https://")) {
    url.is_tls = true;
    text.remove_prefix(8);
  } else if (text.starts_with("http://")) {
    text.remove_prefix(7);
  } else {
    return wrong_url("expected an address like https://example.com/hook");
  }
  if (text.find('#') != std::string_view::npos) return wrong_url("may have no fragment (#)");
  const auto end = std::min(text.find_first_of("/?"), text.size());
  auto authority = text.substr(0, end);
  url.target = text.substr(end);
  if (!url.target.starts_with('/')) url.target.insert(0, "/");
  if (authority.find('@') != std::string_view::npos) return wrong_url("may have no user and password");
  url.header = authority;
  url.port = url.is_tls ? 443 : 80;
  const auto bracket = authority.rfind(']');
  const auto colon = authority.rfind(':');
  if (colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket)) {
    const auto port = authority.substr(colon + 1);
    const auto [rest, error] = std::from_chars(port.data(), port.data() + port.size(), url.port);
    if (error != std::errc() || rest != port.data() + port.size() || url.port == 0)
      return wrong_url("expected a port from 1 to 65535");
    authority = authority.substr(0, colon);
  }
  if (authority.starts_with('[') && authority.ends_with(']')) authority = authority.substr(1, authority.size() - 2);
  if (authority.empty() || authority.size() > 253 || authority.find_first_of("[]%") != std::string_view::npos)
    return wrong_url("names no host");
  url.host = authority;
  return url;
}

}  // namespace marquee::notify
