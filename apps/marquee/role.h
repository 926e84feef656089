// What a role of its own (collect, load) does alike: it starts, waits for a signal, drains, and ends in time.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "app.h"
#include "marquee/base/logging.h"

namespace marquee::app {

/// start() once, stop() once; both from one thread.
class Role {
 public:
  virtual ~Role() = default;
  [[nodiscard]] virtual Result<void> start() = 0;
  /// What ended it for good; empty while there is nothing.
  [[nodiscard]] virtual std::string failure() const = 0;
  /// From now on /readyz says no; what comes is still taken.
  virtual void begin_drain() = 0;
  /// Ends what is under way and stops.
  virtual void stop() = 0;
};

/// Runs it until SIGTERM or SIGINT; gives the exit status. After the signal it says "not ready" for drain.notice, so
/// that who balances the load goes elsewhere, and then has drain.limit to stop; beyond, the process ends as if killed,
/// which loses nothing that was acknowledged.
int run_role(const App& app, std::string_view name, const std::function<std::unique_ptr<Role>()>& make);

/// What `open` gives (a Result), once the brokers answer: a role may start before they do. Their error after a minute;
/// then the role ends, for its supervisor to start it again.
template <class Open>
[[nodiscard]] auto once_brokers_answer(std::string_view role, const Open& open) -> decltype(open()) {
  constexpr auto kWithin = std::chrono::seconds(60);
  constexpr auto kTryEvery = std::chrono::milliseconds(250);
  const auto deadline = std::chrono::steady_clock::now() + kWithin;
  for (;;) {
    auto opened = open();
    if (opened || opened.error().action != Action::retry || std::chrono::steady_clock::now() > deadline) return opened;
    logging::warn(std::string(role) + ".waits", {{"error", opened.error().message}});
    std::this_thread::sleep_for(kTryEvery);
  }
}

}  // namespace marquee::app
