// What a role of its own (collect, load) does alike: it starts, waits for a signal, drains, and ends in time.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "app.h"

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

}  // namespace marquee::app
