// marquee load --status: how the pipeline fares, and when it will be done.
#pragma once

#include "app.h"

namespace marquee::app {

/// Prints it as a table or (GET /v1/pipeline) as JSON. The exit status: 0 while events land, 2 where something stands
/// in their way, 1 where nothing could be looked at.
int show_load_status(const App& app, bool as_json);

}  // namespace marquee::app
