// The reports: one definition each, compiled to SQL with bound parameters, from the cheapest source that answers
// exactly. Bots are left out of every report.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "marquee/base/result.h"
#include "marquee/clickhouse/client.h"

namespace marquee::analytics {

/// The users of a segment as they were last written (segments.h).
struct SegmentVersion {
  std::string id;
  std::uint64_t version = 0;
};

/// What every report is asked for. Times are milliseconds since the Unix epoch, UTC.
struct Scope {
  std::string site;
  std::optional<std::int64_t> from_ms;        ///< Inclusive; absent: from the first event.
  std::optional<std::int64_t> to_ms;          ///< Exclusive; absent: to the last event.
  bool is_fresh = false;                      ///< Counted again even where the answer is known and the data the same.
  std::vector<SegmentVersion> segments = {};  ///< All of the site: what the dimension `segment` tells apart.
};

/// Impressions and clicks with the rate between them and its 95 % Wilson interval.
struct Rate {
  std::uint64_t impressions = 0, viewable_impressions = 0, clicks = 0;
  double ctr = 0, low = 0, high = 0;
};
[[nodiscard]] Rate make_rate(std::uint64_t impressions, std::uint64_t viewable_impressions, std::uint64_t clicks);

/// Only events whose dimension has one of the values, or none of them.
struct Filter {
  std::string dimension;
  std::vector<std::string> values;
  bool is_negated = false;
};

/// What every table of metrics by dimensions is asked for.
struct TableRequest {
  Scope scope;
  std::vector<std::string> by;  ///< At most three dimensions; see model.h.
  std::vector<Filter> filters = {};
  bool compares_previous = false;     ///< With the period of the same length before; needs both ends of the scope.
  std::uint64_t min_impressions = 0;  ///< Rows with fewer are left out (of the previous period: whatever it has).
  std::uint64_t limit = 1000;
  std::string query_id = {};  ///< Of the query in the store, to end it by; empty: any.
};
/// Which rows a table has.
struct TableExtent {
  std::string source;             ///< Table that was read.
  std::uint64_t hidden_rows = 0;  ///< Left out for too few impressions.
  bool is_cut = false;            ///< There are more rows than the limit.
};

struct CtrRow {
  std::vector<std::string> keys;
  Rate rate;
  std::optional<Rate> previous;  ///< Only where it is compared.
  double p_value = 1;            ///< That the row has the same CTR as all the rest, two-sided; see same_proportion_p.
  double false_discovery_rate = 1;  ///< Of the row among the rows of this report, by Benjamini and Hochberg.
};
struct CtrReport {
  TableExtent extent;
  Rate total;  ///< Of all rows, those that were left out too.
  std::optional<Rate> previous_total;
  std::vector<CtrRow> rows;  ///< Most impressions first.
};

/// Absent where it is a share of nothing. Proportions have their 95 % Wilson interval, estimates what bounds the exact
/// one.
struct MetricValue {
  std::optional<double> value;
  std::optional<double> low, high;
};
struct MetricsRow {
  std::vector<std::string> keys;
  std::vector<MetricValue> now, before;  ///< One of each metric; `before` is empty without comparison.
};
struct MetricsReport {
  TableExtent extent;
  /// Of the users, that were counted. The values are then estimates, and what the exact one is lies between low and
  /// high (95 %); of the values that are there, as rare ones may be missed.
  std::optional<double> sampled;
  MetricsRow total;
  std::vector<MetricsRow> rows;  ///< By the first metric, most first.
};

enum class HeatmapMode {
  positions,  ///< Slots by position.
  cells,      ///< A grid of 100 x 100 over one slot.
  page,       ///< The same over one page: all its clicks and hovers, also those outside of slots.
};
struct HeatmapRequest {
  Scope scope;
  HeatmapMode mode = HeatmapMode::positions;
  std::string slot;  ///< Needed for cells; of the others, only this one. Empty: every slot.
  std::string page;  ///< Needed for the page; of the others, only this one. Empty: every page.
  std::vector<Filter> filters = {};
  std::string query_id = {};  ///< As in TableRequest.
};
/// Of an estimate.
struct HeatBounds {
  MetricValue impressions, viewable_impressions, hovers, clicks, ctr, viewability;
};
struct HeatCell {
  std::string slot;            ///< Empty in the grid of a page.
  std::uint64_t x = 0, y = 0;  ///< Position of the ad and 0; or column and row of the 100 x 100 grid.
  std::uint64_t impressions = 0, viewable_impressions = 0, hovers = 0, clicks = 0;
  std::optional<HeatBounds> bounds = {};
};
struct HeatmapReport {
  std::string source;
  std::vector<HeatCell> cells;
  std::optional<double> sampled = {};  ///< As in MetricsReport.
};

/// A search's term is told in lower case, without spaces around it.
struct SearchesRequest {
  Scope scope;
  std::uint64_t min_searches = 1;  ///< Terms with fewer are left out.
  std::uint64_t limit = 1000;
  std::vector<Filter> filters = {};
  std::string query_id = {};  ///< As in TableRequest.
};
/// Of an estimate.
struct SearchBounds {
  MetricValue searches, users, without_results, without_click;
};
struct SearchTerm {
  std::string term;
  std::uint64_t searches = 0, users = 0;  ///< Who has no key is told apart by session; one of several users is the one
                                          ///< of the greatest key.
  std::uint64_t without_results = 0;      ///< Of the searches, those that said to have found nothing.
  std::uint64_t without_click = 0;  ///< No click, course_click or course_view of the session before its next search.
  std::optional<SearchBounds> bounds = {};
};
struct SearchesReport {
  std::string source = "events";  ///< As in FunnelReport.
  SearchTerm total;               ///< Of all terms; its term is empty.
  std::vector<SearchTerm> terms;  ///< Most searches first.
  bool is_cut = false;
  std::optional<double> sampled = {};  ///< As in MetricsReport.
};

/// The ways that sessions take, place by place. A place is a dimension's value; one that repeats at once counts once.
struct PathsRequest {
  Scope scope;
  std::string by = "page_id";
  std::vector<std::string> events = {"page_view"};  ///< Only events of these types; none: any.
  std::optional<std::string> start;  ///< From a session's first time at this place on; absent: from its beginning.
  std::uint64_t steps = 5;           ///< 2 to 20.
  std::uint64_t places = 10;         ///< Of a step that are told apart, the most visited, 1 to 100.
  std::vector<Filter> filters = {};
  std::string query_id = {};  ///< As in TableRequest.
};
struct PathBounds {
  MetricValue sessions, ended;
};
struct PathNode {
  std::uint64_t step = 1;
  std::string place;           ///< Empty also for all others.
  bool is_all_others = false;  ///< Those beyond `places`.
  std::uint64_t sessions = 0;
  std::uint64_t ended = 0;  ///< Of them, went nowhere from here; 0 in the last step, where it is not looked at.
  std::optional<PathBounds> bounds = {};
};
struct PathLink {
  std::size_t from = 0, to = 0;  ///< Indices of nodes, of a step and the next.
  std::uint64_t sessions = 0;
  std::optional<MetricValue> bounds = {};
};
struct PathsReport {
  std::uint64_t sessions = 0;
  std::vector<PathNode> nodes;  ///< By step, most sessions first, all others last.
  std::vector<PathLink> links;
  std::optional<double> sampled = {};  ///< As in MetricsReport.
  std::optional<MetricValue> bounds = {};
};

struct RetentionRequest {
  Scope scope;                     ///< Needs both ends, on the grid of the interval.
  std::string interval = "day";    ///< day, or week (from Monday on, UTC).
  std::vector<std::string> start;  ///< Event types that put a user into a cohort; none: any.
  std::vector<std::string> back;   ///< Event types that count as coming back; none: any.
  std::vector<Filter> filters = {};
  std::string query_id = {};  ///< As in TableRequest.
};
/// Users whose first start within the scope was in one interval. Bots, and users without key, are left out.
struct RetentionCohort {
  std::int64_t time_ms = 0;  ///< Begin of the interval.
  std::uint64_t users = 0;
  std::vector<std::uint64_t>
      back;  ///< [k]: of them, who had an event of `back` in the k-th interval after; 0 is the same one.
  std::optional<MetricValue> users_bounds = {};
  std::vector<MetricValue> back_bounds = {};  ///< As long as back, in an estimate.
};
struct RetentionReport {
  std::string source;
  std::vector<RetentionCohort> cohorts;  ///< In order of time; those without users are left out.
  std::optional<double> sampled = {};    ///< As in MetricsReport.
};

struct CampaignsRequest {
  Scope scope;
  std::string interval = "hour";  ///< minute, hour or day.
  std::vector<Filter> filters = {};
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

struct SegmentsRequest {
  Scope scope;
  std::vector<std::string> ids = {};  ///< At most a hundred; none: all of the site.
};
/// Users of the site with an event in the scope: how many of them are in each segment, and in each two.
struct SegmentsReport {
  struct Segment {
    std::string id;
    std::uint64_t users = 0;
  };
  struct Overlap {
    std::size_t a = 0, b = 0;  ///< Indices of segments, a < b.
    std::uint64_t users = 0;   ///< More than none.
  };
  std::string source;
  std::uint64_t site_users = 0;
  std::vector<Segment> segments;
  std::vector<Overlap> overlaps;
};

/// Who was exposed to an experiment before the end of the scope (src/user_dimensions.h).
struct ExperimentUsers {
  std::string name;
  std::vector<std::pair<std::string, std::uint64_t>> arms;  ///< Users of each, by its name.
  std::uint64_t in_several_arms = 0;                        ///< Who are in no comparison.
};

/// What a site holds.
struct SiteSummary {
  std::uint64_t events = 0;
  std::int64_t first_ms = 0, last_ms = 0;
};

class CachedStore;
struct FunnelRequest;  ///< See funnel.h.
struct FunnelReport;

/// Thread safe. A request that makes no sense is Action::reject, "<parameter>: <what is wrong>".
class Reports {
 public:
  /// Remembers answers as long as the data that they were counted from is the same, where it `can_remember`: not of a
  /// cluster.
  Reports(clickhouse::Client& store, bool can_remember);
  ~Reports();

  /// Needs a dimension.
  [[nodiscard]] Result<CtrReport> ctr(const TableRequest& request);
  /// One to ten metrics; see model.h.
  [[nodiscard]] Result<MetricsReport> metrics(const TableRequest& request, const std::vector<std::string>& metrics);
  /// The same from the events of a share of the users, in (0, 1]: sooner, with an error.
  [[nodiscard]] Result<MetricsReport> sampled_metrics(const TableRequest& request,
                                                      const std::vector<std::string>& metrics, double fraction);
  /// How many events metrics() would read, about; 0 where a rollup answers.
  [[nodiscard]] Result<std::uint64_t> events_to_read(const TableRequest& request,
                                                     const std::vector<std::string>& metrics);
  [[nodiscard]] Result<HeatmapReport> heatmap(const HeatmapRequest& request);
  [[nodiscard]] Result<HeatmapReport> sampled_heatmap(const HeatmapRequest& request, double fraction);
  [[nodiscard]] Result<std::uint64_t> events_to_read(const HeatmapRequest& request);
  [[nodiscard]] Result<FunnelReport> funnel(const FunnelRequest& request);
  [[nodiscard]] Result<FunnelReport> sampled_funnel(const FunnelRequest& request, double fraction);
  [[nodiscard]] Result<std::uint64_t> events_to_read(const FunnelRequest& request);
  /// Of a share of the users and of the sessions without; nullopt: of all. What a session did under several users, or
  /// with and without one, is told apart in an estimate.
  [[nodiscard]] Result<SearchesReport> searches(const SearchesRequest& request,
                                                std::optional<double> fraction = std::nullopt);
  [[nodiscard]] Result<PathsReport> paths(const PathsRequest& request, std::optional<double> fraction = std::nullopt);
  [[nodiscard]] Result<RetentionReport> retention(const RetentionRequest& request,
                                                  std::optional<double> fraction = std::nullopt);
  /// 0 where a rollup answers.
  [[nodiscard]] Result<std::uint64_t> events_to_read(const SearchesRequest& request);
  [[nodiscard]] Result<std::uint64_t> events_to_read(const PathsRequest& request);
  [[nodiscard]] Result<std::uint64_t> events_to_read(const RetentionRequest& request);
  [[nodiscard]] Result<CampaignsReport> campaigns(const CampaignsRequest& request);
  [[nodiscard]] Result<SegmentsReport> segments(const SegmentsRequest& request);
  [[nodiscard]] Result<ExperimentUsers> experiment(const Scope& scope, const std::string& name);
  /// By the id of those that have events.
  [[nodiscard]] Result<std::map<std::string, SiteSummary>> sites(const std::vector<std::string>& ids);

 private:
  std::unique_ptr<CachedStore> store_;
};

}  // namespace marquee::analytics
