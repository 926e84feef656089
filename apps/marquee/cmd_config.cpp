#include <fmt/format.h>

#include "commands.h"

namespace marquee::app {

void add_config_command(CLI::App& root, App& app) {
  auto* config = root.add_subcommand("config", "Show the configuration");
  config->require_subcommand(1);
  auto* print = config->add_subcommand(
      "print", "Print every key with its value, where it came from, bounds and default, as YAML");
  print->footer("Examples:\n  marquee config print\n  MARQUEE_HTTP_PORT=9090 marquee config print > marquee.yaml");
  print->callback([&app] { fmt::print("{}", app.schema().print()); });
}

}  // namespace marquee::app
