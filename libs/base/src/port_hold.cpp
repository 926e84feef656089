#include "marquee/base/port_hold.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>

namespace marquee {

Result<PortHold> PortHold::take(const std::string& address, std::uint16_t port) {
  addrinfo hints{};
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (::getaddrinfo(address.c_str(), fmt::format("{}", port).c_str(), &hints, &found) != 0)
    return Error::give_up(fmt::format("{} is not an address to listen on", address));
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> info(found, &::freeaddrinfo);

  PortHold hold(::socket(info->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0), port);
  const int yes = 1;
  sockaddr_storage bound{};
  socklen_t size = sizeof bound;
  const bool is_held = hold.fd_ >= 0 && ::setsockopt(hold.fd_, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) == 0 &&
                       ::bind(hold.fd_, info->ai_addr, info->ai_addrlen) == 0 &&
                       ::getsockname(hold.fd_, reinterpret_cast<sockaddr*>(&bound), &size) == 0;
  if (!is_held)
    return Error::give_up(fmt::format("cannot listen on {} port {}: {}", address, port, std::strerror(errno)));
  hold.port_ = ntohs(bound.ss_family == AF_INET6 ? reinterpret_cast<const sockaddr_in6&>(bound).sin6_port
                                                 : reinterpret_cast<const sockaddr_in&>(bound).sin_port);
  return hold;
}

PortHold::PortHold(PortHold&& other) noexcept : fd_(std::exchange(other.fd_, -1)), port_(other.port_) {}

PortHold& PortHold::operator=(PortHold&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(port_, other.port_);
  return *this;
}

PortHold::~PortHold() {
  if (fd_ >= 0) ::close(fd_);
}

}  // namespace marquee
