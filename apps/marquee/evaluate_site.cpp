#include "evaluate_site.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <optional>
#include <unordered_map>
#include <utility>

#include "marquee/clickhouse/client.h"
#include "marquee/evaluation/read_decisions.h"
#include "marquee/serving/decision_server.h"
#include "marquee/serving/model_policy.h"
#include "marquee/serving/served_events.h"
#include "parts.h"
#include "secrets.h"
#include "store_access.h"
#include "time_option.h"

namespace marquee::app {
namespace {

using SiteJson = nlohmann::json;

constexpr Millis kStretch = std::chrono::hours(1);
constexpr Millis kUsualSpan = std::chrono::days(7);
/// What was decided a moment ago may yet be seen and clicked.
constexpr Millis kSiteLanding{10'000};
constexpr std::int64_t kPatienceMs = 600'000;
constexpr int kHex = 16;

constexpr std::string_view kDecisions = R"(
SELECT decision_id, placement, turn, slot_id, position, campaign_id, ad_id, is_bound, propensity, context,
    toUnixTimestamp64Milli(decision_time) AS time_ms, ads, propensities, impressions, clicks
FROM
(
    SELECT * FROM marquee.decisions FINAL
    WHERE site_id = {site:String} AND decision_time >= fromUnixTimestamp64Milli({from:Int64})
        AND decision_time < fromUnixTimestamp64Milli({to:Int64}) AND ad_id != ''
) AS decided
LEFT JOIN
(
    SELECT decision_id, placement, groupArray(ad_id) AS ads, groupArray(propensity) AS propensities
    FROM marquee.decision_candidates
    WHERE site_id = {site:String} AND decision_time >= fromUnixTimestamp64Milli({from:Int64})
        AND decision_time < fromUnixTimestamp64Milli({to:Int64})
    GROUP BY decision_id, placement
) AS candidates USING (decision_id, placement)
LEFT JOIN
(
    SELECT decision_id, slot_id, ad_id, groupUniqArrayIf(external_id, event_type = 'impression') AS impressions,
        groupUniqArrayIf(external_id, event_type = 'click') AS clicks
    FROM marquee.events
    WHERE site_id = {site:String} AND event_time >= fromUnixTimestamp64Milli({from:Int64})
        AND event_time < fromUnixTimestamp64Milli({seen_to:Int64}) AND event_type IN ('impression', 'click')
        AND startsWith(external_id, 'served-')
    GROUP BY decision_id, slot_id, ad_id
) AS seen USING (decision_id, slot_id, ad_id)
ORDER BY decision_time, decision_id, placement)";

constexpr std::string_view kNextDecision =
    "SELECT ifNull(minOrNull(toUnixTimestamp64Milli(decision_time)), {to:Int64}) FROM marquee.decisions "
    "WHERE site_id = {site:String} AND decision_time >= fromUnixTimestamp64Milli({from:Int64}) "
    "AND decision_time < fromUnixTimestamp64Milli({to:Int64}) AND ad_id != ''";

constexpr std::string_view kAds =
    "SELECT ad_id, argMax(campaign_id, decision_time) AS campaign, argMax(category, decision_time) AS of_category, "
    "argMax(advertiser, decision_time) AS of_advertiser FROM marquee.decisions "
    "WHERE site_id = {site:String} AND ad_id != '' GROUP BY ad_id ORDER BY ad_id";

std::string millis(WallTime time) { return std::to_string(time.time_since_epoch().count()); }

/// Reads hour by hour, and gives each decision as a line of the form that evaluation reads.
class SiteReader {
 public:
  SiteReader(clickhouse::Client& store, const serving::ServedEvents& served, std::string site, WallTime from,
             WallTime to)
      : store_(store), served_(served), site_(std::move(site)), next_(from), to_(to) {}

  /// Its choices are written beside the candidates.
  Result<void> judge(const std::string& path, double uniform_share) {
    const auto table = store_.table(kAds, {{"site", site_}});
    if (!table) return table.error();
    std::vector<serving::KnownAd> ads;
    for (const auto& row : table->rows) {
      index_.emplace(row[0], static_cast<std::uint32_t>(ads.size()));
      ads.push_back({.id = row[0], .campaign = row[1], .category = row[2], .advertiser = row[3]});
    }
    ads.emplace_back();  // Of all that was never chosen, and so is nowhere described: as an ad that nobody has seen.
    auto model = serving::ModelPolicy::read(path, site_, ads, {.uniform_share = uniform_share});
    if (!model) return model.error();
    model_ = std::move(*model);
    return {};
  }

  Result<bool> next(evaluation::TextRow& row) {
    while (line_ == lines_.size()) {
      if (auto passed = pass_gap(); !passed) return passed.error();
      if (next_ >= to_) return false;
      if (auto read = read_stretch(); !read) return read.error();
    }
    row.fields = {lines_[line_++]};
    ++row.line;
    return true;
  }

  [[nodiscard]] const SiteDecisions& counts() const { return counts_; }

 private:
  /// To the next decision.
  Result<void> pass_gap() {
    const auto table = store_.table(kNextDecision, {{"site", site_}, {"from", millis(next_)}, {"to", millis(to_)}});
    if (!table) return table.error();
    std::int64_t time_ms = 0;
    const std::string& text = table->rows.at(0).at(0);
    std::from_chars(text.data(), text.data() + text.size(), time_ms);
    next_ = std::clamp(WallTime(Millis(time_ms)), next_, std::max(next_, to_));
    return {};
  }

  Result<void> read_stretch() {
    const auto from = next_;
    next_ = std::min(to_, from + kStretch);
    lines_.clear();
    line_ = 0;
    const auto body = store_.query(kDecisions,
                                   {{"site", site_},
                                    {"from", millis(from)},
                                    {"to", millis(next_)},
                                    {"seen_to", millis(next_ + serving::kClickLife + serving::kImpressionLife)}},
                                   {.settings = {{"output_format_json_quote_64bit_integers", "0"}},
                                    .format = "JSONEachRow",
                                    .timeout_ms = kPatienceMs});
    if (!body) return body.error();
    std::vector<SiteJson> decision;
    for (std::size_t begin = 0; begin < body->size();) {
      const auto end = std::min(body->find('\n', begin), body->size());
      auto row = SiteJson::parse(std::string_view(*body).substr(begin, end - begin), nullptr, false);
      if (!row.is_object()) return Error::retry("the store's answer was cut off");
      if (!decision.empty() && decision.front()["decision_id"] != row["decision_id"]) take(std::exchange(decision, {}));
      decision.push_back(std::move(row));
      begin = end + 1;
    }
    take(decision);
    return {};
  }

  /// The placements of one decision: what came with another's ad counts as a part of that one.
  void take(const std::vector<SiteJson>& placements) {
    for (const auto& drawn : placements) {
      if (is_bound(drawn)) {
        ++counts_.bound;
        continue;
      }
      bool is_seen = has(drawn, "impressions");
      int clicks = has(drawn, "clicks") ? 1 : 0;
      for (const auto& other : placements) {
        if (!is_bound(other) || bringer_of(other, placements) != &drawn) continue;
        is_seen = is_seen || has(other, "impressions");
        clicks += has(other, "clicks") ? 1 : 0;
      }
      if (is_seen)
        lines_.push_back(line_of(drawn, clicks));
      else
        ++counts_.unseen;
    }
  }

  /// When it was filled, among those of its decision.
  static int turn_of(const SiteJson& placement) {
    const int turn = placement["turn"].get<int>();
    return turn > 0 ? turn : placement["placement"].get<int>() + 1;
  }

  /// The ad with which that of a bound placement came: the last one of its campaign that was drawn before.
  static const SiteJson* bringer_of(const SiteJson& bound, const std::vector<SiteJson>& placements) {
    const SiteJson* bringer = nullptr;
    for (const auto& one : placements) {
      if (is_bound(one) || one["campaign_id"] != bound["campaign_id"] || turn_of(one) > turn_of(bound)) continue;
      if (bringer == nullptr || turn_of(one) > turn_of(*bringer)) bringer = &one;
    }
    return bringer;
  }

  static bool is_bound(const SiteJson& placement) {
    const auto& bound = placement["is_bound"];
    return bound.is_boolean() ? bound.get<bool>() : bound.get<int>() != 0;
  }

  /// Whether an impression, or a click, of it came through our addresses.
  bool has(const SiteJson& placement, const char* kind) const {
    const auto text = [&](const char* name) { return placement[name].get_ref<const std::string&>(); };
    const auto decision_id = text("decision_id"), ad_id = text("ad_id"), slot_id = text("slot_id");
    const serving::ServedEvents::Placement its{
        .site_id = site_, .decision_id = decision_id, .ad_id = ad_id, .slot_id = slot_id};
    const bool wants_clicks = std::string_view(kind) == "clicks";
    return std::ranges::any_of(placement[kind], [&](const SiteJson& id) {
      const auto& external_id = id.get_ref<const std::string&>();
      return wants_clicks ? served_.is_click(its, external_id) : served_.is_impression(its, external_id);
    });
  }

  std::string line_of(const SiteJson& placement, int clicks) {
    const auto position = placement["position"].get<int>();
    SiteJson line = {{"ad_id", placement["ad_id"]},
                     {"position", position > 0 ? position : placement["placement"].get<int>() + 1},
                     {"reward", clicks},
                     {"propensity", placement["propensity"]},
                     {"context", SiteJson::object()},
                     {"candidates", SiteJson::array()}};
    for (const auto& [name, values] : placement["context"].items()) {
      std::string joined;
      for (const auto& value : values) joined += (joined.empty() ? "" : ",") + value.get<std::string>();
      line["context"][name] = joined;
    }
    line["context"]["slot"] = placement["slot_id"];
    const auto& ads = placement["ads"];
    for (std::size_t i = 0; i < ads.size(); ++i)
      line["candidates"].push_back({{"ad_id", ads[i]}, {"propensity", placement["propensities"][i]}});
    if (model_) add_targets(placement, line["candidates"]);
    return line.dump(-1, ' ', false, SiteJson::error_handler_t::replace);
  }

  void add_targets(const SiteJson& placement, SiteJson& candidates) {
    std::vector<std::pair<std::string, std::string>> context;
    for (const auto& [name, values] : placement["context"].items())
      for (const auto& value : values) context.emplace_back(name, value.get<std::string>());
    std::vector<std::uint32_t> rows;
    for (const auto& one : candidates) {
      const auto found = index_.find(one["ad_id"].get_ref<const std::string&>());
      rows.push_back(found != index_.end() ? found->second : static_cast<std::uint32_t>(index_.size()));
    }
    const auto id = placement["decision_id"].get<std::string>();
    std::uint64_t seed = 0;
    std::from_chars(id.data() + std::min<std::size_t>(id.size(), kHex), id.data() + id.size(), seed, kHex);
    const auto time_ms = placement["time_ms"].get<std::int64_t>();
    std::vector<double> chances(rows.size());
    const auto slot = placement["slot_id"].get<std::string>();
    model_->choose({.context = context, .time_ms = time_ms, .slot_id = slot, .seed = seed}, rows, chances);
    for (std::size_t i = 0; i < chances.size(); ++i) candidates[i]["target"] = chances[i];
    if (WallTime(Millis(time_ms)) < model_->learned_until()) ++counts_.learned;
  }

  clickhouse::Client& store_;
  const serving::ServedEvents& served_;
  const std::string site_;
  WallTime next_;
  const WallTime to_;
  std::unique_ptr<serving::ModelPolicy> model_;
  std::unordered_map<std::string, std::uint32_t> index_;
  std::vector<std::string> lines_;
  std::size_t line_ = 0;
  SiteDecisions counts_;
};

}  // namespace

Result<SiteDecisions> read_site_decisions(const App& app, const SiteLog& asked) {
  const auto now = SystemClock().now() - kSiteLanding;
  const auto from = asked.from.empty() ? Result<WallTime>(now - kUsualSpan) : time_of(asked.from, "--from");
  if (!from) return from.error();
  const auto to = asked.to.empty() ? Result<WallTime>(now) : time_of(asked.to, "--to");
  if (!to) return to.error();
  const auto endpoint = store_endpoint(app);
  if (!endpoint) return endpoint.error();
  const auto secrets = load_secrets(app.settings().data_dir + "/secrets.json", built_in_sites());
  if (!secrets) return secrets.error();
  clickhouse::Client store(*endpoint);
  const serving::ServedEvents served(secrets->token_key_bytes());
  SiteReader reader(store, served, asked.site, *from, *to);
  if (!asked.model.empty())
    if (auto judged = reader.judge(asked.model, app.settings().decisions_uniform_share); !judged) return judged.error();
  auto log = evaluation::read_decision_lines([&](evaluation::TextRow& row) { return reader.next(row); });
  if (!log) return log.error();
  SiteDecisions decisions = reader.counts();
  decisions.log = std::move(*log);
  return decisions;
}

}  // namespace marquee::app
