#include <fmt/format.h>

#include <sstream>

#include "commands.h"
#include "feeds.h"

namespace marquee::app {

void add_config_command(CLI::App& root, App& app) {
  auto* config = root.add_subcommand("config", "Show the configuration");
  config->require_subcommand(1);
  auto* print = config->add_subcommand(
      "print", "Print every key with its value, where it came from, bounds and default, as YAML");
  print->footer("Examples:\n  marquee config print\n  MARQUEE_HTTP_PORT=9090 marquee config print > marquee.yaml");
  print->callback([&app] {
    fmt::print("{}", app.schema().print());
    if (app.settings().feeds_file.empty()) return;
    const auto feeds = load_feeds(app.settings());
    if (!feeds) {
      app.exit_code = fail(feeds.error());
      return;
    }
    // As a comment: they are kept in a file of their own.
    fmt::print("\n# {}, as it is understood:\n", app.settings().feeds_file);
    std::istringstream lines(feed::print_feeds(*feeds));
    for (std::string line; std::getline(lines, line);) fmt::print("# {}\n", line);
  });
}

}  // namespace marquee::app
