#include "marquee/base/port_hold.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <string>

namespace marquee {
namespace {

#ifndef IP_LOCAL_PORT_RANGE
constexpr int IP_LOCAL_PORT_RANGE = 51;  // Linux 6.3
#endif

class Socket {
 public:
  Socket() : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {}
  ~Socket() { ::close(fd_); }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;

  int set(int level, int option, int value) const { return ::setsockopt(fd_, level, option, &value, sizeof value); }
  int bind(std::uint16_t port) const { return at(::bind, port); }
  int connect(std::uint16_t port) const { return at(::connect, port); }
  int listen() const { return ::listen(fd_, 1); }

 private:
  int at(int (*call)(int, const sockaddr*, socklen_t), std::uint16_t port) const {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    return call(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 ? 0 : errno;
  }
  int fd_;
};

PortHold hold_any() {
  auto hold = PortHold::take("127.0.0.1", 0);
  EXPECT_TRUE(hold);
  return std::move(*hold);
}

TEST(PortHold, ServersListenOnItOneAfterTheOther) {
  const auto hold = hold_any();
  for (int round = 0; round < 2; ++round) {
    const Socket server;
    ASSERT_EQ(server.set(SOL_SOCKET, SO_REUSEADDR, 1), 0);
    ASSERT_EQ(server.bind(hold.port()), 0);
    ASSERT_EQ(server.listen(), 0);
    EXPECT_EQ(Socket().connect(hold.port()), 0);
  }
  EXPECT_EQ(Socket().connect(hold.port()), ECONNREFUSED) << "nobody listens";
}

TEST(PortHold, NobodyElseGetsThePort) {
  const auto hold = hold_any();
  EXPECT_EQ(Socket().bind(hold.port()), EADDRINUSE);
}

// A client that tries to reach a server that is gone may be given the server's port, and then be connected to itself:
// the kernel is left no other choice here.
TEST(PortHold, NoClientIsConnectedToItself) {
  auto hold = std::make_unique<PortHold>(hold_any());
  const auto port = hold->port();
  const auto connect_to_itself = [port] {
    const Socket client;
    const int only = (port << 16) | port;
    return client.set(IPPROTO_IP, IP_LOCAL_PORT_RANGE, only) == 0 ? client.connect(port) : -1;
  };
  const int held = connect_to_itself();
  if (held == -1) GTEST_SKIP() << "this kernel has no IP_LOCAL_PORT_RANGE";
  EXPECT_EQ(held, EADDRNOTAVAIL);
  hold.reset();
  EXPECT_EQ(connect_to_itself(), 0) << "what the hold is against does not happen";
}

TEST(PortHold, IsRefusedWhereSomebodyListens) {
  const auto hold = hold_any();
  const Socket server;
  ASSERT_EQ(server.set(SOL_SOCKET, SO_REUSEADDR, 1), 0);
  ASSERT_EQ(server.bind(hold.port()), 0);
  ASSERT_EQ(server.listen(), 0);
  const auto taken = PortHold::take("127.0.0.1", hold.port());
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().action, Action::give_up);
  EXPECT_NE(taken.error().message.find(std::to_string(hold.port())), std::string::npos);
  EXPECT_FALSE(PortHold::take("nowhere", 1));
}

TEST(PortHold, TakesIpv6) {
  const auto hold = PortHold::take("::1", 0);
  if (!hold) GTEST_SKIP() << hold.error().message;
  EXPECT_GT(hold->port(), 0);
}

}  // namespace
}  // namespace marquee
