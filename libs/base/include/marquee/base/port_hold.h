// Keeps a TCP port for a server that comes and goes.
#pragma once

#include <cstdint>
#include <string>

#include "marquee/base/result.h"

namespace marquee {

/// A port that is bound and not listened on: servers that set SO_REUSEADDR can listen on it, one after the other, and
/// between them the kernel gives it to nobody's outgoing connection (ip(7), "ephemeral ports"; inet_hash_connect skips
/// what is bound). Without it a server that is started again may find that a long-lived connection, even a client's
/// connection to itself, has taken its port. Connecting to a held port that nobody listens on is refused.
class PortHold {
 public:
  /// `address`: numeric, IPv4 or IPv6. Port 0 takes a free one. Action::give_up where it is taken or no address.
  [[nodiscard]] static Result<PortHold> take(const std::string& address, std::uint16_t port);

  PortHold(PortHold&& other) noexcept;
  PortHold& operator=(PortHold&& other) noexcept;
  PortHold(const PortHold&) = delete;
  PortHold& operator=(const PortHold&) = delete;
  ~PortHold();

  [[nodiscard]] std::uint16_t port() const { return port_; }

 private:
  PortHold(int fd, std::uint16_t port) : fd_(fd), port_(port) {}
  int fd_;
  std::uint16_t port_;
};

}  // namespace marquee
