// marquee serve: all of it in one process, and the store as its child.
#include <fmt/format.h>

#include <ctime>

#include "commands.h"
#include "marquee/base/logging.h"
#include "marquee/base/signals.h"
#include "service.h"

namespace marquee::app {
namespace {

constexpr timespec kSignalLookEvery{0, 200'000'000};

int serve(const App& app) {
  // Before any thread is made, so that all of them leave these to sigtimedwait.
  const sigset_t endings = block_ending_signals();

  Service service(app);
  if (const auto started = service.start(); !started) {
    return fail(started.error());
  }
  logging::info("serve.listening", {{"address", app.settings().http_listen}, {"port", service.port()}});
  for (;;) {
    const int number = ::sigtimedwait(&endings, nullptr, &kSignalLookEvery);
    if (number > 0) {
      logging::info("serve.stopping", {{"signal", number}});
      service.stop();
      logging::info("serve.stopped");
      return 0;
    }
    if (const std::string failure = service.failure(); !failure.empty()) {
      return fail(Error::give_up(failure));
    }
  }
}

}  // namespace

void add_serve_command(CLI::App& root, App& app) {
  auto* command = root.add_subcommand("serve", "Run everything: collector, loader, reports, console, and the store");
  command->footer(
      "Examples:\n"
      "  marquee serve\n"
      "  MARQUEE_HTTP_PORT=9090 marquee --data-dir /srv/marquee serve\n"
      "`marquee config print` shows every setting; `marquee status` shows the address and how to sign in.");
  command->callback([&app] { app.exit_code = serve(app); });
}

}  // namespace marquee::app
