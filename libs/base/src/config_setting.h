// One key and the text that a file or the environment gives it.
#pragma once

#include <string>

#include "marquee/base/config.h"

namespace marquee::config {

struct Schema::Setting {
  const Key* key;
  std::string name;  ///< As the source wrote it, for messages.
  std::string text;
  std::string origin;  ///< "marquee.yaml:3" or "environment".
};

}  // namespace marquee::config
