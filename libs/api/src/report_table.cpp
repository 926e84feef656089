#include "report_table.h"

#include <algorithm>
#include <initializer_list>
#include <map>

#include "marquee/analytics/model.h"
#include "report_json.h"

namespace marquee::api {
namespace {

constexpr const char* kCounts[] = {"impressions", "viewable_impressions", "clicks"};
constexpr const char* kRates[] = {"ctr", "low", "high"};

void add_columns(ReportTable& table, std::initializer_list<const char*> names, CellType type) {
  for (const char* name : names) table.columns.push_back({name, type});
}

void add_keys(ReportTable& table, const Json& names) {
  for (const auto& one : names) {
    const auto name = one.get<std::string>();
    table.columns.push_back({name, key_cell_type(name)});
  }
}

/// Keys are text in every report; those of a dimension of numbers are read as such.
std::vector<Json> keys_of(const ReportTable& table, const Json& keys) {
  std::vector<Json> cells;
  for (const auto& key : keys) {
    const bool is_number = table.columns[cells.size()].type == CellType::count;
    cells.push_back(is_number ? Json::parse(key.get<std::string>(), nullptr, false) : key);
    if (cells.back().is_discarded()) cells.back() = nullptr;
  }
  return cells;
}

template <class Names>
void add_cells(std::vector<Json>& row, const Json& object, const Names& names) {
  for (const char* name : names) row.push_back(object.at(name));
}
void add_cells(std::vector<Json>& row, const Json& object, std::initializer_list<const char*> names) {
  add_cells<std::initializer_list<const char*>>(row, object, names);
}

ReportTable ctr_table(const Json& report) {
  ReportTable table;
  const bool is_compared = !report.at("previous_total").is_null();
  add_keys(table, report.at("by"));
  add_columns(table, {"impressions", "viewable_impressions", "clicks"}, CellType::count);
  add_columns(table, {"ctr", "low", "high"}, CellType::share);
  add_columns(table, {"p_value", "false_discovery_rate"}, CellType::real);
  if (is_compared) {
    add_columns(table, {"previous_impressions", "previous_viewable_impressions", "previous_clicks"}, CellType::count);
    add_columns(table, {"previous_ctr", "previous_low", "previous_high"}, CellType::share);
  }
  for (const auto& one : report.at("rows")) {
    auto row = keys_of(table, one.at("keys"));
    add_cells(row, one, kCounts);
    add_cells(row, one, kRates);
    add_cells(row, one, {"p_value", "false_discovery_rate"});
    if (is_compared) {
      add_cells(row, one.at("previous"), kCounts);
      add_cells(row, one.at("previous"), kRates);
    }
    table.rows.push_back(std::move(row));
  }
  return table;
}

bool is_proportion(const std::string& name) {
  const auto all = analytics::metrics();
  const auto it = std::ranges::find(all, name, &analytics::Metric::name);
  return it != all.end() && it->unit == analytics::MetricUnit::proportion;
}

/// A metric's value, and what bounds it: of a proportion always, of any where it is an estimate.
void add_values(std::vector<Json>& row, const Json& values, const std::vector<bool>& is_bounded) {
  for (std::size_t i = 0; i < is_bounded.size(); ++i) {
    const Json none;
    const Json& value = values.is_null() ? none : values.at(i);
    const auto cell = [&](const char* name) { return value.is_object() ? value.value(name, none) : none; };
    row.push_back(cell("value"));
    if (is_bounded[i]) row.insert(row.end(), {cell("low"), cell("high")});
  }
}

ReportTable metrics_table(const Json& report) {
  ReportTable table;
  add_keys(table, report.at("by"));
  const bool is_compared = !report.at("total").at("previous").is_null();
  std::vector<bool> is_bounded;
  std::vector<CellType> types;
  for (const auto& name : report.at("metrics")) {
    const bool is_share = is_proportion(name.get<std::string>());
    types.push_back(is_share ? CellType::share : CellType::real);
    is_bounded.push_back(is_share || !report.at("sample").is_null());
  }
  for (const char* period : {"", "previous_"}) {
    if (*period != '\0' && !is_compared) continue;
    for (std::size_t i = 0; i < is_bounded.size(); ++i) {
      const auto name = period + report.at("metrics").at(i).get<std::string>();
      table.columns.push_back({name, types[i]});
      if (!is_bounded[i]) continue;
      table.columns.push_back({name + "_low", types[i]});
      table.columns.push_back({name + "_high", types[i]});
    }
  }
  const auto add = [&](std::vector<Json> row, const Json& one) {
    add_values(row, one.at("values"), is_bounded);
    if (is_compared) add_values(row, one.at("previous"), is_bounded);
    table.rows.push_back(std::move(row));
  };
  if (report.at("by").empty()) add({}, report.at("total"));
  for (const auto& one : report.at("rows")) add(keys_of(table, one.at("keys")), one);
  return table;
}

ReportTable campaigns_table(const Json& report) {
  ReportTable table;
  add_columns(table, {"campaign_id", "campaign"}, CellType::text);
  add_columns(table, {"time"}, CellType::time);
  add_columns(table, {"impressions", "viewable_impressions", "clicks"}, CellType::count);
  add_columns(table, {"ctr", "low", "high"}, CellType::share);
  for (const auto& campaign : report.at("campaigns")) {
    for (const auto& point : campaign.at("points")) {
      std::vector<Json> row = {campaign.at("id"), campaign.at("name"), point.at("time")};
      add_cells(row, point, kCounts);
      add_cells(row, point, kRates);
      table.rows.push_back(std::move(row));
    }
  }
  return table;
}

ReportTable heatmap_table(const Json& report) {
  ReportTable table;
  add_columns(table, {"slot"}, CellType::text);
  add_columns(table, {"x", "y", "impressions", "viewable_impressions", "hovers", "clicks"}, CellType::count);
  add_columns(table, {"ctr", "viewability"}, CellType::share);
  for (const auto& cell : report.at("cells"))
    add_cells(table.rows.emplace_back(), cell,
              {"slot", "x", "y", "impressions", "viewable_impressions", "hovers", "clicks", "ctr", "viewability"});
  return table;
}

ReportTable searches_table(const Json& report) {
  ReportTable table;
  add_columns(table, {"term"}, CellType::text);
  add_columns(table, {"searches", "users", "without_results", "without_click"}, CellType::count);
  for (const auto& term : report.at("terms"))
    add_cells(table.rows.emplace_back(), term, {"term", "searches", "users", "without_results", "without_click"});
  return table;
}

/// Links. A place of null is all others.
ReportTable paths_table(const Json& report) {
  ReportTable table;
  add_columns(table, {"step"}, CellType::count);
  add_columns(table, {"from", "to"}, CellType::text);
  add_columns(table, {"sessions"}, CellType::count);
  for (const auto& link : report.at("links")) {
    const auto& from = report.at("nodes").at(link.at("from").get<std::size_t>());
    const auto& to = report.at("nodes").at(link.at("to").get<std::size_t>());
    table.rows.push_back({from.at("step"), from.at("place"), to.at("place"), link.at("sessions")});
  }
  return table;
}

/// A row for each cohort and interval after it, so that every table has the same columns.
ReportTable retention_table(const Json& report) {
  ReportTable table;
  add_columns(table, {"cohort"}, CellType::time);
  add_columns(table, {"users", "interval", "back"}, CellType::count);
  add_columns(table, {"back_share"}, CellType::share);
  for (const auto& cohort : report.at("cohorts")) {
    const auto users = cohort.at("users").get<std::uint64_t>();
    for (std::size_t i = 0; i < cohort.at("back").size(); ++i) {
      const auto back = cohort.at("back").at(i).get<std::uint64_t>();
      table.rows.push_back({cohort.at("time"), users, i, back, share(back, users)});
    }
  }
  return table;
}

/// First the sizes, then what each two have in common.
ReportTable segments_table(const Json& report) {
  ReportTable table;
  add_columns(table, {"segment", "title", "other", "other_title"}, CellType::text);
  add_columns(table, {"size", "users"}, CellType::count);
  add_columns(table, {"share_of_site", "share_of_segment", "share_of_other", "jaccard"}, CellType::share);
  std::map<std::string, Json> titles;
  for (const auto& one : report.at("segments")) {
    titles[one.at("id").get<std::string>()] = one.at("title");
    table.rows.push_back({one.at("id"), one.at("title"), nullptr, nullptr, one.at("size"), one.at("users"),
                          one.at("share"), nullptr, nullptr, nullptr});
  }
  for (const auto& one : report.at("overlaps")) {
    const auto title = [&](const char* which) { return titles.at(one.at(which).get<std::string>()); };
    table.rows.push_back({one.at("a"), title("a"), one.at("b"), title("b"), nullptr, one.at("users"),
                          share(one.at("users"), report.at("site_users")), one.at("share_of_a"), one.at("share_of_b"),
                          one.at("jaccard")});
  }
  return table;
}

ReportTable dropped_table(const Json& dropped) {
  ReportTable table;
  add_columns(table, {"user_key"}, CellType::text);
  for (const auto& key : dropped.at("keys")) table.rows.push_back({key});
  return table;
}

ReportTable funnel_table(const Json& report) {
  if (!report.at("dropped").is_null()) return dropped_table(report.at("dropped"));
  ReportTable table;
  const bool is_by = !report.at("by").is_null(), is_compared = !report.at("previous").is_null();
  // Text, as the total is among the rows.
  if (is_by) table.columns.push_back({report.at("by").get<std::string>(), CellType::text});
  add_columns(table, {"step"}, CellType::count);
  add_columns(table, {"name"}, CellType::text);
  add_columns(table, {"is_optional"}, CellType::truth);
  add_columns(table, {"users"}, CellType::count);
  if (is_compared) add_columns(table, {"previous_users"}, CellType::count);
  add_columns(table, {"from_previous", "from_first"}, CellType::share);
  add_columns(table, {"median_ms_from_previous", "p90_ms_from_previous"}, CellType::real);
  const auto add = [&](const Json& key, const Json& counts, const Json& previous) {
    for (std::size_t i = 0; i < counts.at("steps").size(); ++i) {
      const auto& named = report.at("steps").at(i);
      const auto& step = counts.at("steps").at(i);
      std::vector<Json> row;
      if (is_by) row.push_back(key);
      row.insert(row.end(), {i + 1, named.at("name"), named.at("is_optional"), step.at("users")});
      if (is_compared) row.push_back(previous.at("steps").at(i).at("users"));
      add_cells(row, step, {"from_previous", "from_first", "median_ms_from_previous", "p90_ms_from_previous"});
      table.rows.push_back(std::move(row));
    }
  };
  add("(all)", report, report.at("previous"));
  for (const auto& row : report.at("rows")) add(row.at("key"), row, row.at("previous"));
  return table;
}

}  // namespace

std::string_view name_of(CellType type) {
  constexpr std::string_view kNames[] = {"text", "count", "real", "share", "truth", "day", "time"};
  return kNames[static_cast<std::size_t>(type)];
}

CellType key_cell_type(std::string_view dimension) {
  const auto all = analytics::dimensions();
  const auto it = std::ranges::find(all, dimension, &analytics::Dimension::name);
  if (it == all.end()) return CellType::text;
  switch (it->keys) {
    case analytics::KeyType::number:
      return CellType::count;
    case analytics::KeyType::day:
      return CellType::day;
    case analytics::KeyType::time:
      return CellType::time;
    case analytics::KeyType::text:
      break;
  }
  return CellType::text;
}

ReportTable report_table(std::string_view kind, const Json& report) {
  if (kind == "ctr") return ctr_table(report);
  if (kind == "metrics") return metrics_table(report);
  if (kind == "campaigns") return campaigns_table(report);
  if (kind == "heatmap") return heatmap_table(report);
  if (kind == "searches") return searches_table(report);
  if (kind == "paths") return paths_table(report);
  if (kind == "retention") return retention_table(report);
  if (kind == "segments") return segments_table(report);
  return funnel_table(report);
}

}  // namespace marquee::api
