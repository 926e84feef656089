// What a user agent says about device, operating system and browser; and whether it is a machine.
#pragma once

#include <string_view>

namespace marquee::event {

struct UserAgent {
  std::string_view device, os, browser;  ///< Literals; empty where unknown.
  bool is_bot = false;
};

[[nodiscard]] UserAgent parse_user_agent(std::string_view text);

}  // namespace marquee::event
