#include "role.h"

#include <fmt/format.h>
#include <unistd.h>

#include <condition_variable>
#include <csignal>
#include <ctime>
#include <mutex>
#include <thread>

#include "marquee/base/logging.h"
#include "marquee/base/signals.h"
#include "marquee/base/time.h"

namespace marquee::app {
namespace {

constexpr timespec kRoleLookEvery{0, 100'000'000};
constexpr int kNotDrained = 3;

/// Ends the process where it lives longer than `limit`.
class Deadline {
 public:
  explicit Deadline(Millis limit)
      : thread_([this, limit](std::stop_token stop) {
          std::unique_lock lock(mutex_);
          if (changed_.wait_for(lock, stop, limit, [&] { return stop.stop_requested(); })) return;
          if (stop.stop_requested()) return;
          logging::error("drain.limit_passed", {{"seconds", static_cast<double>(limit.count()) / 1'000}});
          ::_exit(kNotDrained);
        }) {}

 private:
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::jthread thread_;
};

}  // namespace

int run_role(const App& app, std::string_view name, const std::function<std::unique_ptr<Role>()>& make) {
  // Before any thread is made, so that all of them leave these to sigtimedwait.
  const sigset_t endings = block_ending_signals();
  const auto role = make();
  if (const auto started = role->start(); !started) return fail(started.error());
  for (;;) {
    const int signal_number = ::sigtimedwait(&endings, nullptr, &kRoleLookEvery);
    if (signal_number > 0) break;
    if (const std::string failure = role->failure(); !failure.empty()) {
      fail(Error::give_up(failure));
      ::_exit(1);  // Whoever restarts it finds the log as after a crash.
    }
  }
  logging::info("role.draining", {{"role", name}});
  role->begin_drain();
  std::this_thread::sleep_for(Millis(app.settings().drain_notice_ms));
  const Deadline deadline{Millis(app.settings().drain_limit_ms)};
  role->stop();
  logging::info("role.stopped", {{"role", name}});
  return 0;
}

}  // namespace marquee::app
