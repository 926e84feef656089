// marquee load --from: reads history again from Kafka.
#pragma once

#include <string>

#include "app.h"

namespace marquee::app {

struct RewindArguments {
  std::string from;  ///< Empty: not asked for.
  bool is_in_place = false;
  bool is_dry_run = false;
  bool as_json = false;
  bool is_quiet = false;
  unsigned wait_seconds = 60;  ///< For another that reads history again, or clears away what one left.
};

int run_rewind(const App& app, const RewindArguments& arguments);

}  // namespace marquee::app
