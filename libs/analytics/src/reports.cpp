#include "marquee/analytics/reports.h"

#include "cached_store.h"

namespace marquee::analytics {

Reports::Reports(clickhouse::Client& store, bool can_remember)
    : store_(std::make_unique<CachedStore>(store, can_remember)) {}
Reports::~Reports() = default;

}  // namespace marquee::analytics
