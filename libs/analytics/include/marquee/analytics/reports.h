// The reports: one definition each, compiled to SQL with bound parameters, from the cheapest source that answers
// exactly. Bots are left out of every report.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "marquee/base/result.h"
#include "marquee/clickhouse/client.h"

namespace marquee::analytics {

/// What every report is asked for. Times are milliseconds since the Unix epoch, UTC.
struct Scope {
  std::string site;
  std::optional<std::int64_t> from_ms;  ///< Inclusive; absent: from the first event.
  std::optional<std::int64_t> to_ms;    ///< Exclusive; absent: to the last event.
};

/// Impressions and clicks with the rate between them and its 95 % Wilson interval.
struct Rate {
  std::uint64_t impressions = 0, viewable_impressions = 0, clicks = 0;
  double ctr = 0, low = 0, high = 0;
};
[[nodiscard]] Rate make_rate(std::uint64_t impressions, std::uint64_t viewable_impressions, std::uint64_t clicks);

struct CtrRequest {
  Scope scope;
  std::vector<std::string> by;  ///< One to three dimensions; see dimensions().
  std::uint64_t min_impressions = 0;
  std::uint64_t limit = 1000;
};
struct CtrRow {
  std::vector<std::string> keys;
  Rate rate;
};
struct CtrReport {
  std::string source;        ///< Table that was read.
  Rate total;                ///< Of all rows, those that were left out too.
  std::vector<CtrRow> rows;  ///< Most impressions first.
};

struct HeatmapRequest {
  Scope scope;
  bool is_cells = false;
  std::string slot;  ///< Needed for cells.
};
struct HeatCell {
  std::string slot;
  std::uint64_t x = 0, y = 0;  ///< Position of the ad and 0; or column and row of the 100 x 100 grid.
  std::uint64_t impressions = 0, hovers = 0, clicks = 0;
};
struct HeatmapReport {
  std::string source;
  std::vector<HeatCell> cells;
};

struct FunnelRequest {
  Scope scope;
  std::vector<std::string> steps;  ///< Two to eight event types.
  std::uint64_t window_seconds = 3600;
  bool is_strict = false;  ///< No other event may stand between two steps.
};
struct FunnelStep {
  std::string name;
  std::uint64_t users = 0;
  std::optional<double> median_ms_from_previous;
};
struct FunnelReport {
  std::vector<FunnelStep> steps;
  std::optional<double> median_ms_total;
};

struct CampaignsRequest {
  Scope scope;
  std::string interval = "hour";  ///< minute, hour or day.
};
struct CampaignPoint {
  std::int64_t time_ms = 0;
  Rate rate;
};
struct CampaignSeries {
  std::string id;
  Rate total;
  std::vector<CampaignPoint> points;
};
struct CampaignsReport {
  std::string source;
  Rate total;
  std::vector<CampaignSeries> campaigns;  ///< Most impressions first.
};

/// What a site holds.
struct SiteSummary {
  std::uint64_t events = 0;
  std::int64_t first_ms = 0, last_ms = 0;
};

/// Names that CtrRequest::by takes, besides "props.<name>".
[[nodiscard]] std::vector<std::string> dimensions();

/// Thread safe. A request that makes no sense is Action::reject, "<parameter>: <what is wrong>".
class Reports {
 public:
  explicit Reports(clickhouse::Client& store) : store_(store) {}

  [[nodiscard]] Result<CtrReport> ctr(const CtrRequest& request);
  [[nodiscard]] Result<HeatmapReport> heatmap(const HeatmapRequest& request);
  [[nodiscard]] Result<FunnelReport> funnel(const FunnelRequest& request);
  [[nodiscard]] Result<CampaignsReport> campaigns(const CampaignsRequest& request);
  /// By site id.
  [[nodiscard]] Result<std::map<std::string, SiteSummary>> sites();

  /// As ctr, but from the events table whatever else could answer; for tests that compare the two.
  [[nodiscard]] Result<CtrReport> ctr_from_events(const CtrRequest& request);

 private:
  [[nodiscard]] Result<CtrReport> ctr_from(const CtrRequest& request, const std::string& source);
  clickhouse::Client& store_;
};

}  // namespace marquee::analytics
