#include "lost_peer.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>

namespace marquee::http {
namespace {

constexpr int kProbes = 3;
constexpr unsigned kRepeats = 2;  ///< One alone may have been on its way just now.

void set(int socket, int level, int name, int value) {
  // Where the kernel refuses, the peer is lost after its own, longer limits.
  static_cast<void>(::setsockopt(socket, level, name, &value, sizeof value));
}

}  // namespace

void probe_when_idle(int socket, std::chrono::milliseconds limit) {
  const auto seconds = std::max<int>(1, static_cast<int>(limit.count() / 1000));
  const int between = std::max(1, seconds / 6);
  set(socket, SOL_SOCKET, SO_KEEPALIVE, 1);
  set(socket, IPPROTO_TCP, TCP_KEEPIDLE, std::max(1, seconds - kProbes * between));
  set(socket, IPPROTO_TCP, TCP_KEEPINTVL, between);
  set(socket, IPPROTO_TCP, TCP_KEEPCNT, kProbes);
}

bool is_peer_lost(int socket, std::chrono::milliseconds limit) {
  tcp_info info{};
  socklen_t size = sizeof info;
  if (::getsockopt(socket, IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return false;
  const bool repeats = info.tcpi_retransmits >= kRepeats || info.tcpi_probes >= kRepeats;
  return repeats && std::chrono::milliseconds(info.tcpi_last_ack_recv) >= limit;
}

bool has_peer_ended(int socket) {
  pollfd asked{.fd = socket, .events = POLLRDHUP, .revents = 0};
  return ::poll(&asked, 1, 0) > 0 && (asked.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}

}  // namespace marquee::http
