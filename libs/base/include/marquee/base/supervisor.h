// Keeps one child process alive: starts it, starts it again when it ends or hangs, and never leaves it behind.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace marquee {

struct SupervisorOptions {
  std::string name;                  ///< For log lines.
  std::vector<std::string> command;  ///< Path of the program and its arguments.
  std::map<std::string, std::string>
      environment;  ///< Added to this process's own; secrets go here, not into arguments.
  /// Whether the child answers; called about once a second on the supervisor's thread, should take no longer.
  std::function<bool()> is_alive;
  std::uint64_t hang_ms = 60'000;  ///< A child that was not alive for so long is killed and started again.
  std::uint64_t check_ms = 1'000;  ///< Between two looks at is_alive; a tenth of it until the child is alive first.
  std::uint64_t most_pause_ms = 5'000;  ///< Before a new start of a child that ended without ever being alive.
};

struct SupervisorStatus {
  pid_t pid = 0;  ///< 0 while there is no child.
  std::uint64_t starts = 0;
  std::uint64_t hangs = 0;
  std::uint64_t failed_starts = 0;  ///< In a row: starts that ended before the child was alive.
  int last_status = 0;  ///< Of the child that ended last: its exit status, or minus the signal that ended it.
};

/// The child is in a process group of its own (a terminal's Ctrl-C does not reach it) and is killed by the kernel when
/// this process dies, however it dies (PR_SET_PDEATHSIG). Thread safe.
class Supervisor {
 public:
  explicit Supervisor(SupervisorOptions options);
  ~Supervisor();  ///< Stops.
  Supervisor(const Supervisor&) = delete;
  Supervisor& operator=(const Supervisor&) = delete;

  void start();
  /// SIGTERM, and SIGKILL if the child has not ended after `grace_ms`. Idempotent.
  void stop(std::uint64_t grace_ms = 15'000);
  [[nodiscard]] SupervisorStatus status() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace marquee
