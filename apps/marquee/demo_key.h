// The write key of the campus demo's pages, beside those of the catalog.
#pragma once

#include "marquee/catalog/catalog.h"
#include "marquee/ingest/access.h"
#include "marquee/serving/demo_server.h"

namespace marquee::app {

/// On which the campus demo and simulated students play.
inline constexpr const char* kDemoSite = "campus";

/// key_finder() of the catalog, which knows the key of `demo` besides; null: there is none. Both must outlive it.
[[nodiscard]] ingest::FindKey key_finder_with_demo(catalog::Catalog& catalog, const serving::DemoServer* demo);

}  // namespace marquee::app
