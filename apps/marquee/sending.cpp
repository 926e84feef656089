#include "sending.h"

#include <fmt/format.h>

#include <csignal>

namespace marquee::app {
namespace {

std::atomic<bool> stop_requested{false};  // A signal handler reaches nothing else.

void request_stop(int signal_number) {
  stop_requested = true;
  std::signal(signal_number, SIG_DFL);  // The second one ends the process.
}

}  // namespace

Result<ingest::SendOptions> send_options(const App& app, const SendArguments& arguments) {
  ingest::SendOptions options;
  options.in_flight = arguments.in_flight;
  options.url = arguments.url;
  options.write_key = arguments.key;
  if (!options.url.empty() && !options.write_key.empty()) return options;
  const auto running = app.running();
  if (!running) return running.error();
  if (options.url.empty()) options.url = running->http_url;
  if (!options.write_key.empty()) return options;
  const auto key = running->write_keys.find(arguments.site);
  if (key == running->write_keys.end()) {
    return Error::reject(fmt::format(
        "the running Marquee has no trusted write key for site \"{}\"; name one with --key", arguments.site));
  }
  options.write_key = key->second;
  return options;
}

const std::atomic<bool>& stop_on_signal() {
  std::signal(SIGINT, request_stop);
  std::signal(SIGTERM, request_stop);
  return stop_requested;
}

}  // namespace marquee::app
