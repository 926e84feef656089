// What the commands that send events (import, simulate) share.
#pragma once

#include <atomic>
#include <string>

#include "app.h"
#include "marquee/ingest/import_sender.h"

namespace marquee::app {

/// Where to send, as the command line names it; empty is "that of the Marquee that runs on this machine".
struct SendArguments {
  std::string site = {};
  std::string url = {};
  std::string key = {};
  unsigned in_flight = 4;
};

/// Looks for the running Marquee only where the arguments leave something open.
[[nodiscard]] Result<ingest::SendOptions> send_options(const App& app, const SendArguments& arguments);

/// From now on the first SIGINT or SIGTERM sets the flag that is returned, the second ends the process.
const std::atomic<bool>& stop_on_signal();

}  // namespace marquee::app
