// Signals that end a server, taken by one thread that waits for them.
#pragma once

#include <csignal>

namespace marquee {

/// Blocks SIGTERM and SIGINT in this thread and in those it makes from now on, so that all of them leave these to a
/// sigwait or sigtimedwait for the set that is returned; and ignores SIGPIPE. To be called before any thread is made.
[[nodiscard]] sigset_t block_ending_signals();

}  // namespace marquee
