#include "format_option.h"

namespace marquee::app {

void add_format_option(CLI::App& command, std::string& format) {
  command.add_option("--format", format, "table or json")
      ->check(CLI::IsMember({"table", "json"}))
      ->capture_default_str();
}

}  // namespace marquee::app
