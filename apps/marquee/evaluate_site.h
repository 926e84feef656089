// Our own decisions and what became of them, for `marquee evaluate --site`.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "app.h"
#include "marquee/base/result.h"
#include "marquee/base/time.h"
#include "marquee/evaluation/decision_log.h"

namespace marquee::app {

struct SiteLog {
  std::string site;
  std::string from, to;  ///< RFC 3339; empty: the last seven days, now.
  /// A model's file, whose choices become the log's target (evaluation::logged_target_policy); empty: none.
  std::string model;
};

struct SiteDecisions {
  evaluation::DecisionLog log;
  std::uint64_t unseen = 0;   ///< Decisions whose ad was not shown, which are left out.
  std::uint64_t bound = 0;    ///< Placements whose ad came with another's, and count as a part of that decision.
  std::uint64_t learned = 0;  ///< Of the model's: what it has learned from.
};

/// Out of marquee.decisions and marquee.events: a decision is a placement whose ad was drawn and shown, its reward the
/// clicks that it and what came with it (roadblock, companions) had. Only impressions and clicks that came through our
/// addresses count.
[[nodiscard]] Result<SiteDecisions> read_site_decisions(const App& app, const SiteLog& asked);

}  // namespace marquee::app
