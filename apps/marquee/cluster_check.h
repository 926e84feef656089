// marquee doctor --cluster: whether a ClickHouse cluster keeps what the loader relies on.
#pragma once

#include "app.h"
#include "checklist.h"

namespace marquee::app {

/// Looks at every node of store.url, and tries inserts with tokens, the lock's swaps and Keeper in a database of its
/// own, which it drops again. Nothing of Marquee's tables is changed.
void check_cluster(const App& app, Checklist& list);

}  // namespace marquee::app
