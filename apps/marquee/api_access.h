// The API of the Marquee that runs on this machine, as the command line asks it.
#pragma once

#include <string>

#include "app.h"
#include "marquee/base/result.h"

namespace marquee::app {

/// The body of the answer, or what the API said was wrong. `body`: JSON; empty: none.
[[nodiscard]] Result<std::string> ask(const App& app, const std::string& method, const std::string& target,
                                      const std::string& body);

}  // namespace marquee::app
