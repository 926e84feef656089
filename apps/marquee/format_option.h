// The option that commands have which print a table for people or JSON for programs.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace marquee::app {

/// --format table|json; `format` holds the default.
void add_format_option(CLI::App& command, std::string& format);

}  // namespace marquee::app
