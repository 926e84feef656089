// The store, as the tools (query, migrate, rebuild, doctor) reach it.
#pragma once

#include "app.h"
#include "marquee/clickhouse/client.h"

namespace marquee::app {

/// The configured store (store.url), or that of the Marquee that runs on the data directory. As `reader` it may only
/// read, which a configured store is trusted to see to itself.
[[nodiscard]] Result<clickhouse::Endpoint> store_endpoint(const App& app, bool as_reader = false);

/// The loader's own directory, whose locks hold inserts and a rebuild apart.
[[nodiscard]] std::string loader_directory(const App& app);

/// Prints "marquee: <message>" on stderr; the exit status 1.
int fail(const Error& error);

}  // namespace marquee::app
