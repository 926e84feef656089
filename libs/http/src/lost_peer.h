// Tells a peer that is gone (its machine is off, the network is cut) from one that is slow.
#pragma once

#include <chrono>

namespace marquee::http {

/// Asks the kernel to probe the peer while nothing is under way, and to break the connection once nobody has answered
/// for `limit`.
void probe_when_idle(int socket, std::chrono::milliseconds limit);

/// What was sent has been repeated and nobody has acknowledged anything for `limit`. False as long as the peer's
/// kernel answers, even where the process there takes nothing: TCP_USER_TIMEOUT does not tell these two apart.
[[nodiscard]] bool is_peer_lost(int socket, std::chrono::milliseconds limit);

/// The peer has closed its side of the connection, or broken it. It may also have said all it has to say and still
/// listen: TCP does not tell these two apart.
[[nodiscard]] bool has_peer_ended(int socket);

}  // namespace marquee::http
