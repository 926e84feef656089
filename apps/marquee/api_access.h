// The JSON API of the Marquee that runs, as the commands ask it.
#pragma once

#include <string>

#include "app.h"

namespace marquee::app {

/// The answer's body, or an error that says what to do.
[[nodiscard]] Result<std::string> ask(const App& app, const std::string& method, const std::string& target,
                                      const std::string& body);

}  // namespace marquee::app
