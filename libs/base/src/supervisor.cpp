#include "marquee/base/supervisor.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <mutex>
#include <thread>

#include "marquee/base/logging.h"

extern char** environ;

namespace marquee {
namespace {

using SteadyClock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr int kNoExec = 127;
constexpr std::uint64_t kFirstPauseMs = 100;

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> result;
  for (std::string& text : texts) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

std::vector<std::string> merged_environment(const std::map<std::string, std::string>& added) {
  std::vector<std::string> result;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text = *entry;
    if (!added.contains(text.substr(0, text.find('=')))) result.push_back(text);
  }
  for (const auto& [name, value] : added) result.push_back(name + "=" + value);
  return result;
}

/// Runs between fork and exec: async-signal-safe calls only.
[[noreturn]] void become_child(char* const* arguments, char* const* environment, pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(kNoExec);  // The parent died before the line above.
  ::setpgid(0, 0);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  std::signal(SIGPIPE, SIG_DFL);
  ::execve(arguments[0], arguments, environment);
  ::_exit(kNoExec);
}

}  // namespace

class Supervisor::Impl {
 public:
  explicit Impl(SupervisorOptions options) : options_(std::move(options)), wake_(::eventfd(0, EFD_CLOEXEC)) {}
  ~Impl() {
    stop(0);
    ::close(wake_);
  }

  void start() {
    thread_ = std::thread([this] { run(); });
  }

  void stop(std::uint64_t grace_ms) {
    const std::lock_guard once(stop_mutex_);
    if (!thread_.joinable()) return;
    {
      const std::lock_guard lock(mutex_);
      is_stopping_ = true;
      grace_ms_ = grace_ms;
    }
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(wake_, &one, sizeof one);
    thread_.join();
  }

  [[nodiscard]] SupervisorStatus status() const {
    const std::lock_guard lock(mutex_);
    return status_;
  }

 private:
  // The kernel sends the child its death signal when the *thread* that forked it ends, so this one stays to the end.
  void run() {
    std::uint64_t pause_ms = 0;
    while (wait(-1, pause_ms)) {
      const bool was_alive = run_child();
      const std::lock_guard lock(mutex_);
      status_.failed_starts = was_alive ? 0 : status_.failed_starts + 1;
      pause_ms = was_alive ? 0 : std::min(options_.most_pause_ms, std::max(kFirstPauseMs, pause_ms * 2));
    }
  }

  /// Waits for `child` (-1: none) to end, for stop(), or for `ms`. False once stopping.
  bool wait(int child, std::uint64_t ms) {
    pollfd fds[2] = {{wake_, POLLIN, 0}, {child, POLLIN, 0}};
    ::poll(fds, child < 0 ? 1 : 2, static_cast<int>(ms));
    const std::lock_guard lock(mutex_);
    return !is_stopping_;
  }

  /// Starts the child and waits until it has ended. True if it ever was alive.
  bool run_child() {
    const pid_t pid = spawn();
    if (pid < 0) {
      logging::error("supervisor.fork_failed", {{"name", options_.name}, {"error", std::strerror(errno)}});
      return false;
    }
    const int handle = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
    note_started(pid);
    bool was_alive = false;
    auto last_alive = SteadyClock::now();
    int status = 0;
    for (;;) {
      const bool goes_on =
          wait(handle, was_alive ? options_.check_ms : std::max<std::uint64_t>(10, options_.check_ms / 10));
      if (!goes_on) {
        end(pid, handle, status);
        break;
      }
      if (::waitpid(pid, &status, WNOHANG) == pid) break;
      if (options_.is_alive()) {
        was_alive = true;
        last_alive = SteadyClock::now();
      } else if (SteadyClock::now() - last_alive > milliseconds(options_.hang_ms)) {
        logging::error("supervisor.hangs", {{"name", options_.name}, {"pid", pid}, {"silent_ms", options_.hang_ms}});
        ::kill(pid, SIGKILL);
        ::waitpid(pid, &status, 0);
        const std::lock_guard lock(mutex_);
        ++status_.hangs;
        break;
      }
    }
    ::close(handle);
    note_ended(pid, status);
    return was_alive;
  }

  pid_t spawn() {
    std::vector<std::string> command = options_.command;
    std::vector<std::string> environment = merged_environment(options_.environment);
    const auto arguments = pointers(command);
    const auto variables = pointers(environment);
    const pid_t parent = ::getpid();
    const pid_t pid = ::fork();
    if (pid == 0) become_child(arguments.data(), variables.data(), parent);
    return pid;
  }

  /// Asks the child to end, and ends it.
  void end(pid_t pid, int handle, int& status) {
    ::kill(pid, SIGTERM);
    ::kill(pid, SIGCONT);  // One that was stopped hears nothing else.
    pollfd fd{handle, POLLIN, 0};
    if (::poll(&fd, 1, static_cast<int>(grace())) == 0) {
      logging::warn("supervisor.killed", {{"name", options_.name}, {"pid", pid}});
      ::kill(pid, SIGKILL);
    }
    ::waitpid(pid, &status, 0);
  }

  std::uint64_t grace() const {
    const std::lock_guard lock(mutex_);
    return grace_ms_;
  }

  void note_started(pid_t pid) {
    const std::lock_guard lock(mutex_);
    status_.pid = pid;
    ++status_.starts;
  }

  void note_ended(pid_t pid, int status) {
    const std::lock_guard lock(mutex_);
    status_.pid = 0;
    status_.last_status = WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
    if (!is_stopping_) {
      logging::warn("supervisor.ended", {{"name", options_.name}, {"pid", pid}, {"status", status_.last_status}});
    }
  }

  const SupervisorOptions options_;
  const int wake_;
  mutable std::mutex mutex_;
  SupervisorStatus status_;  ///< Guarded by mutex_, as are the next two.
  bool is_stopping_ = false;
  std::uint64_t grace_ms_ = 0;
  std::mutex stop_mutex_;
  std::thread thread_;  ///< Guarded by stop_mutex_ after start().
};

Supervisor::Supervisor(SupervisorOptions options) : impl_(std::make_unique<Impl>(std::move(options))) {}
Supervisor::~Supervisor() = default;
void Supervisor::start() { impl_->start(); }
void Supervisor::stop(std::uint64_t grace_ms) { impl_->stop(grace_ms); }
SupervisorStatus Supervisor::status() const { return impl_->status(); }

}  // namespace marquee
