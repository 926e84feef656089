#include "retention_settings.h"

#include <fmt/format.h>

#include <tuple>
#include <utility>

namespace marquee::app {
namespace {

constexpr std::uint64_t kDayMs = 86'400'000;

}  // namespace

Result<ingest::Retention> retention_of(const Settings& settings) {
  ingest::Retention retention;
  auto kinds = ingest::read_kinds(settings.retention_kinds);
  if (!kinds) return kinds.error();
  retention.kinds = std::move(*kinds);
  for (const auto& [name, ms, days] :
       {std::tuple{"retention.events", settings.retention_events_ms, &retention.events},
        {"retention.decisions", settings.retention_decisions_ms, &retention.decisions},
        {"retention.dead_letters", settings.retention_dead_letters_ms, &retention.dead_letters}}) {
    if (ms % kDayMs != 0) return Error::reject(fmt::format("{}: expected whole days, as 400d", name));
    *days = ms / kDayMs;
  }
  const auto shortest = retention.shortest();
  if (shortest > 0 && shortest * kDayMs < settings.collector_max_event_age_ms)
    return Error::reject(
        fmt::format("retention: events that go after {} days could come when they are older (collector.max_event_age, "
                    "{} days): make "
                    "that less, or retention.events and retention.kinds more",
                    shortest, settings.collector_max_event_age_ms / kDayMs));
  const bool is_set = shortest > 0 || retention.decisions > 0 || retention.dead_letters > 0;
  if (is_set && !settings.store_cluster.empty())
    return Error::reject(
        "retention: tables of a cluster (store.cluster) keep the TTL that they are given there by hand");
  return retention;
}

}  // namespace marquee::app
