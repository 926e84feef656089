// How the feeds fare, for GET /v1/loader and marquee load --status.
#pragma once

#include <nlohmann/json.hpp>
#include <vector>

#include "app.h"
#include "marquee/feed/feed.h"

namespace marquee::app {

/// A list of the feeds, each with its sums and its partitions.
[[nodiscard]] nlohmann::ordered_json feeds_json(const std::vector<feed::FeedStatus>& feeds);

/// Prints every partition of every feed that the configuration names, whichever loader has it; nothing where it names
/// none.
[[nodiscard]] Result<void> print_feeds_status(const App& app);

}  // namespace marquee::app
