// marquee import --dead-letters: replays what could not be loaded, as it is by now or as a person mended it.
#pragma once

#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "app.h"

namespace marquee::app {

struct DeadLetterArguments {
  CLI::Option* wanted = nullptr;  ///< --dead-letters
  std::string file;               ///< Mended letters; empty: those that the store has.
  std::string export_to;
  std::string reason;
  std::string source;
  std::string since;
  std::string url;
  std::string token;
  bool dry_run = false;
  bool as_json = false;
  bool no_wait = false;

  [[nodiscard]] bool is_wanted() const { return wanted->count() > 0; }
};

[[nodiscard]] std::shared_ptr<DeadLetterArguments> add_dead_letter_options(CLI::App& command);

/// Gives the exit status: 1 where it could not be done, or where a letter of `file` cannot be read.
[[nodiscard]] int import_dead_letters(const App& app, const DeadLetterArguments& arguments);

}  // namespace marquee::app
