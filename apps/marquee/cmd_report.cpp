// marquee report: the console's reports as a table, or in the formats of the API.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <nlohmann/json.hpp>
#include <vector>

#include "api_access.h"
#include "commands.h"
#include "marquee/http/message.h"
#include "report_funnel.h"
#include "text_table.h"

namespace marquee::app {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kFormatsHelp = "table, json, csv, parquet or png (a picture)";
const std::vector<std::string> kFormats = {"table", "json", "csv", "parquet", "png"};

struct ReportArguments {
  std::string site = "open-bandit";
  std::string from;
  std::string to;
  std::string last;
  std::string format = "table";
  std::string by = "campaign_id";
  std::string metrics = "impressions,clicks,ctr";
  std::string metrics_by;
  std::string place = "page_id";
  std::string start;
  std::string back;
  std::vector<std::string> filters;
  bool compares = false;
  std::string min_impressions;
  std::string limit;
  std::string mode = "positions";
  std::string slot;
  std::string page;
  FunnelOptions funnel;
  std::string interval = "day";
  std::string segments;
};

std::string report_cell(const Json& value) {
  if (value.is_null()) return "";
  if (value.is_string()) return value.get<std::string>();
  if (value.is_number_float()) return fmt::format("{:.6g}", value.get<double>());
  return value.dump();
}

std::string percent(const Json& value) {
  return value.is_null() ? "" : fmt::format("{:.3f} %", value.get<double>() * 100);
}

void add_cells(Row& row, const Json& object, std::initializer_list<const char*> names) {
  for (const char* name : names) row.push_back(report_cell(object.at(name)));
}

/// The header, the total, and a row each. A comparison has a column more for each metric.
void add_metrics(std::vector<Row>& rows, const Json& report) {
  const bool is_compared = !report.at("total").at("previous").is_null();
  Row header = report.at("by").get<Row>();
  for (const auto& name : report.at("metrics")) {
    header.push_back(name.get<std::string>());
    if (is_compared) header.push_back("previous " + name.get<std::string>());
  }
  rows.push_back(std::move(header));
  const auto add = [&](Row row, const Json& one) {
    for (std::size_t i = 0; i < one.at("values").size(); ++i) {
      for (const char* period : {"values", "previous"}) {
        if (one.at(period).is_null()) continue;
        const auto& value = one.at(period).at(i);
        row.push_back(value.contains("low") ? percent(value.at("value")) : report_cell(value.at("value")));
      }
    }
    rows.push_back(std::move(row));
  };
  for (const auto& one : report.at("rows")) add(one.at("keys").get<Row>(), one);
  Row keys(report.at("by").size());
  if (!keys.empty()) keys.front() = "(all)";
  add(std::move(keys), report.at("total"));
}

void add_paths(std::vector<Row>& rows, const Json& report) {
  rows.push_back({"step", "from", "to", "sessions"});
  const auto place = [&](const Json& node) {
    return node.at("place").is_null() ? "(others)" : report_cell(node.at("place"));
  };
  for (const auto& link : report.at("links")) {
    const auto& from = report.at("nodes").at(link.at("from").get<std::size_t>());
    const auto& to = report.at("nodes").at(link.at("to").get<std::size_t>());
    rows.push_back({report_cell(from.at("step")), place(from), place(to), report_cell(link.at("sessions"))});
  }
}

void add_retention(std::vector<Row>& rows, const Json& report) {
  std::size_t most = 0;
  for (const auto& cohort : report.at("cohorts")) most = std::max(most, cohort.at("back").size());
  Row header = {"cohort", "users"};
  for (std::size_t i = 0; i < most; ++i) header.push_back(fmt::format("+{}", i));
  rows.push_back(std::move(header));
  for (const auto& cohort : report.at("cohorts")) {
    Row row = {cohort.at("time").get<std::string>().substr(0, 10), report_cell(cohort.at("users"))};
    for (const auto& back : cohort.at("back")) row.push_back(report_cell(back));
    row.resize(most + 2);
    rows.push_back(std::move(row));
  }
}

/// The segments, and what each two have in common.
void add_segments(std::vector<Row>& rows, const Json& report) {
  rows.push_back({"segment", "other", "size", "users", "share", "of other", "jaccard"});
  std::map<std::string, std::string> names;
  for (const auto& one : report.at("segments")) {
    const auto& name = names[one.at("id").get<std::string>()] =
        fmt::format("{} ({})", one.at("title").get<std::string>(), one.at("id").get<std::string>());
    rows.push_back(
        {name, "", report_cell(one.at("size")), report_cell(one.at("users")), percent(one.at("share")), "", ""});
  }
  for (const auto& one : report.at("overlaps"))
    rows.push_back({names.at(one.at("a").get<std::string>()), names.at(one.at("b").get<std::string>()), "",
                    report_cell(one.at("users")), percent(one.at("share_of_a")), percent(one.at("share_of_b")),
                    percent(one.at("jaccard"))});
}

/// First the header.
std::vector<Row> report_rows(const std::string& kind, const Json& report) {
  std::vector<Row> rows;
  if (kind == "ctr") {
    Row header = report.at("by").get<Row>();
    header.insert(header.end(), {"impressions", "viewable_impressions", "clicks", "ctr", "low", "high"});
    rows.push_back(std::move(header));
    for (const auto& one : report.at("rows")) {
      Row row = one.at("keys").get<Row>();
      add_cells(row, one, {"impressions", "viewable_impressions", "clicks"});
      for (const char* name : {"ctr", "low", "high"}) row.push_back(percent(one.at(name)));
      rows.push_back(std::move(row));
    }
  } else if (kind == "metrics") {
    add_metrics(rows, report);
  } else if (kind == "searches") {
    rows.push_back({"term", "searches", "users", "without_results", "without_click"});
    for (const auto& term : report.at("terms"))
      add_cells(rows.emplace_back(), term, {"term", "searches", "users", "without_results", "without_click"});
  } else if (kind == "paths") {
    add_paths(rows, report);
  } else if (kind == "retention") {
    add_retention(rows, report);
  } else if (kind == "heatmap") {
    rows.push_back({"slot", "x", "y", "impressions", "viewable_impressions", "hovers", "clicks", "ctr", "viewability"});
    for (const auto& cell : report.at("cells")) {
      Row row;
      add_cells(row, cell, {"slot", "x", "y", "impressions", "viewable_impressions", "hovers", "clicks"});
      for (const char* name : {"ctr", "viewability"}) row.push_back(percent(cell.at(name)));
      rows.push_back(std::move(row));
    }
  } else if (kind == "segments") {
    add_segments(rows, report);
  } else if (kind == "funnel") {
    rows = funnel_rows(report);
  } else {
    rows.push_back({"campaign", "time", "impressions", "viewable_impressions", "clicks", "ctr", "low", "high"});
    for (const auto& campaign : report.at("campaigns")) {
      for (const auto& point : campaign.at("points")) {
        Row row = {report_cell(campaign.at("id")), report_cell(point.at("time"))};
        add_cells(row, point, {"impressions", "viewable_impressions", "clicks"});
        for (const char* name : {"ctr", "low", "high"}) row.push_back(percent(point.at(name)));
        rows.push_back(std::move(row));
      }
    }
  }
  return rows;
}

/// How many users each arm has that the report tells apart.
void print_experiments(const Json& report) {
  for (const auto& one : report.value("experiments", Json::array())) {
    std::string arms;
    for (const auto& arm : one.at("arms"))
      arms += fmt::format("{}{} users in {}", arms.empty() ? "" : ", ", arm.at("users").get<std::uint64_t>(),
                          arm.at("arm").get<std::string>());
    fmt::print("\n{}: {}; {} exposed to several arms are left out.\n", one.at("experiment").get<std::string>(),
               arms.empty() ? "nobody was exposed" : arms, one.at("users_in_several_arms").get<std::uint64_t>());
  }
}

bool is_binary(const std::string& format) { return format == "parquet" || format == "png"; }

/// `target` asks for the format that the API has: JSON for a table, too.
int print(const App& app, const std::string& kind, const std::string& method, const std::string& target,
          const std::string& body, const std::string& format) {
  if (is_binary(format) && ::isatty(STDOUT_FILENO) != 0)
    return fail(Error::reject(fmt::format("--format {}: is not for a terminal; send it into a file with >", format)));
  const auto form = format == "table" ? "json" : format;
  const auto answer =
      ask(app, method, fmt::format("{}{}format={}", target, target.contains('?') ? '&' : '?', form), body);
  if (!answer) return fail(answer.error());
  if (format != "table" && format != "json")
    return std::fwrite(answer->data(), 1, answer->size(), stdout) == answer->size() ? 0 : 1;
  const Json report = Json::parse(*answer);
  if (format == "json") {
    fmt::print("{}\n", report.dump(2));
    return 0;
  }
  print_table(report_rows(kind, report));
  print_experiments(report);
  if (kind == "funnel" && !report.at("dropped").is_null()) {
    fmt::print("\n{}\n", dropped_sentence(report));
    print_table(dropped_rows(report));
  }
  return 0;
}

int run_report(const App& app, const std::string& kind, const ReportArguments& arguments,
               const std::vector<std::pair<std::string, std::string>>& specific) {
  std::string target = fmt::format("/v1/reports/{}?site={}", kind, http::percent_encode(arguments.site));
  const auto add = [&](const std::string& name, const std::string& value) {
    if (!value.empty()) target += fmt::format("&{}={}", name, http::percent_encode(value));
  };
  add("from", arguments.from);
  add("to", arguments.to);
  add("last", arguments.last);
  for (const auto& [name, value] : specific) add(name, value);
  return print(app, kind, "GET", target, "", arguments.format);
}

/// A funnel's definition does not fit into an address.
int run_funnel(const App& app, const ReportArguments& arguments) {
  auto definition = funnel_definition(arguments.funnel);
  if (!definition) return fail(definition.error());
  auto& body = *definition;
  body["site"] = arguments.site;
  if (!arguments.from.empty()) body["from"] = arguments.from;
  if (!arguments.to.empty()) body["to"] = arguments.to;
  if (!arguments.last.empty()) body["last"] = arguments.last;
  if (!arguments.filters.empty()) body["filter"] = arguments.filters;
  if (arguments.compares) body["compare"] = "previous";
  return print(app, "funnel", "POST", "/v1/reports/funnel", body.dump(), arguments.format);
}

/// What is kept to be asked again.
int list_saved(const App& app, const std::string& format) {
  const auto answer = ask(app, "GET", "/v1/saved-reports", "");
  if (!answer) return fail(answer.error());
  const Json listed = Json::parse(*answer);
  if (format == "json") {
    fmt::print("{}\n", listed.dump(2));
    return 0;
  }
  std::vector<Row> rows = {{"id", "name", "report", "site", "owner", "changed"}};
  for (const auto& one : listed.at("saved_reports"))
    add_cells(rows.emplace_back(), one, {"id", "name", "kind", "site", "owner", "changed"});
  print_table(rows, "llllll");
  return 0;
}

/// `which`: the id, also as the end of its address.
int run_saved(const App& app, const std::string& which, const std::string& format) {
  const std::string path = "/v1/saved-reports/" + http::percent_encode(which.substr(which.rfind('/') + 1));
  const auto saved = ask(app, "GET", path, "");
  if (!saved) return fail(saved.error());
  return print(app, Json::parse(*saved).at("kind").get<std::string>(), "GET", path + "/answer", "", format);
}

CLI::App* add_kind(CLI::App& parent, const char* name, const char* what,
                   const std::shared_ptr<ReportArguments>& arguments) {
  auto* command = parent.add_subcommand(name, what);
  command->add_option("--site", arguments->site, "Site")->capture_default_str();
  command->add_option("--from", arguments->from,
                      "From this time on, as 2026-01-31 or 2026-01-31T08:00:00Z (default: the first event)");
  command->add_option("--to", arguments->to, "Before this time (default: after the last event)");
  command->add_option(
      "--last", arguments->last,
      "In place of both: so many whole minutes, hours, days or weeks (UTC) up to now, as 15m, 24h, 7d, 4w");
  command->add_option("--format", arguments->format, kFormatsHelp)
      ->check(CLI::IsMember(kFormats))
      ->capture_default_str();
  return command;
}

void add_filter_option(CLI::App& command, ReportArguments& arguments) {
  command.add_option(
      "--filter", arguments.filters,
      "<dimension>=<value>,<value> keeps events with one of them, <dimension>!=... those with none; may be repeated");
}

void add_compare_option(CLI::App& command, ReportArguments& arguments) {
  command.add_flag("--compare", arguments.compares,
                   "Compare with the period of the same length before; needs --from and --to");
}

void add_table_options(CLI::App& command, ReportArguments& arguments) {
  add_filter_option(command, arguments);
  add_compare_option(command, arguments);
  command.add_option("--min-impressions", arguments.min_impressions, "Leave out rows with fewer");
  command.add_option("--limit", arguments.limit, "Rows at most");
}

using ReportParameters = std::vector<std::pair<std::string, std::string>>;

ReportParameters with_filters(const ReportArguments& arguments, ReportParameters parameters) {
  for (const auto& filter : arguments.filters) parameters.emplace_back("filter", filter);
  return parameters;
}

ReportParameters table_parameters(const ReportArguments& arguments, ReportParameters parameters) {
  parameters.insert(parameters.end(), {{"min_impressions", arguments.min_impressions}, {"limit", arguments.limit}});
  if (arguments.compares) parameters.emplace_back("compare", "previous");
  return with_filters(arguments, std::move(parameters));
}

}  // namespace

void add_report_command(CLI::App& root, App& app) {
  auto* command = root.add_subcommand("report", "Reports of a running Marquee, as the console shows them");
  command->require_subcommand(1);
  command->footer(
      "Examples:\n"
      "  marquee report ctr --by policy,campaign_id\n"
      "  marquee report heatmap --format csv\n"
      "  marquee report funnel --site moodle --steps page_view,course_view,course_click\n"
      "  marquee report campaigns --interval day --from 2019-11-24");
  auto arguments = std::make_shared<ReportArguments>();

  auto* ctr =
      add_kind(*command, "ctr", "Click-through rate by one to three dimensions, with 95 % intervals", arguments);
  ctr->add_option("--by", arguments->by,
                  "Dimensions, separated by commas; props.<name> and arm.<experiment> are some too")
      ->capture_default_str();
  add_table_options(*ctr, *arguments);
  ctr->footer("Example:\n  marquee report ctr --by policy,campaign_id");
  ctr->callback([&app, arguments] {
    app.exit_code = run_report(app, "ctr", *arguments, table_parameters(*arguments, {{"by", arguments->by}}));
  });

  auto* metrics = add_kind(*command, "metrics", "Any metrics by any dimensions", arguments);
  metrics->add_option("--metrics", arguments->metrics, "One to ten, separated by commas; the first one orders the rows")
      ->capture_default_str();
  metrics->add_option("--by", arguments->metrics_by,
                      "None to three dimensions; props.<name> and arm.<experiment> are some too");
  add_table_options(*metrics, *arguments);
  metrics->footer("Example:\n  marquee report metrics --metrics ctr,reach,ecpm --by college_id --filter device=phone");
  metrics->callback([&app, arguments] {
    app.exit_code =
        run_report(app, "metrics", *arguments,
                   table_parameters(*arguments, {{"metrics", arguments->metrics}, {"by", arguments->metrics_by}}));
  });

  auto* heatmap = add_kind(*command, "heatmap", "Where ads stand, and where people look and click", arguments);
  heatmap->add_option("--mode", arguments->mode, "positions, cells of one slot, or the grid of a page")
      ->capture_default_str();
  heatmap->add_option("--slot", arguments->slot, "Only this slot; needed for cells");
  heatmap->add_option("--page", arguments->page, "Only this page; needed for page");
  add_filter_option(*heatmap, *arguments);
  heatmap->footer("Example:\n  marquee report heatmap --mode positions");
  heatmap->callback([&app, arguments] {
    app.exit_code = run_report(
        app, "heatmap", *arguments,
        with_filters(*arguments, {{"mode", arguments->mode}, {"slot", arguments->slot}, {"page", arguments->page}}));
  });

  auto* funnel = add_kind(*command, "funnel", "How many users went from step to step", arguments);
  add_funnel_options(*funnel, arguments->funnel);
  add_filter_option(*funnel, *arguments);
  add_compare_option(*funnel, *arguments);
  funnel->callback([&app, arguments] { app.exit_code = run_funnel(app, *arguments); });

  auto* searches = add_kind(*command, "searches", "What was searched for, not found, and led to no click", arguments);
  searches->add_option("--limit", arguments->limit, "Terms at most");
  add_filter_option(*searches, *arguments);
  searches->footer("Example:\n  marquee report searches --site campus --limit 20");
  searches->callback([&app, arguments] {
    app.exit_code = run_report(app, "searches", *arguments, with_filters(*arguments, {{"limit", arguments->limit}}));
  });

  auto* paths = add_kind(*command, "paths", "The ways that sessions take from place to place", arguments);
  paths->add_option("--by", arguments->place, "What a place is: a dimension")->capture_default_str();
  paths->add_option("--start", arguments->start, "From a session's first time at this place on");
  add_filter_option(*paths, *arguments);
  paths->footer("Example:\n  marquee report paths --site campus --start home");
  paths->callback([&app, arguments] {
    app.exit_code = run_report(app, "paths", *arguments,
                               with_filters(*arguments, {{"by", arguments->place}, {"start", arguments->start}}));
  });

  auto* retention = add_kind(*command, "retention", "Who came back, by the interval in which they began", arguments);
  retention->add_option("--interval", arguments->interval, "day, or week (from Monday on)")->capture_default_str();
  retention->add_option("--start", arguments->start, "Event types that put a user into a cohort (default: any)");
  retention->add_option("--back", arguments->back, "Event types that count as coming back (default: any)");
  add_filter_option(*retention, *arguments);
  retention->footer(
      "Example:\n  marquee report retention --site moodle --from 2021-10-04 --to 2021-11-01 --interval week");
  retention->callback([&app, arguments] {
    app.exit_code = run_report(
        app, "retention", *arguments,
        with_filters(*arguments,
                     {{"interval", arguments->interval}, {"start", arguments->start}, {"back", arguments->back}}));
  });

  auto* campaigns = add_kind(*command, "campaigns", "Campaigns over time", arguments);
  campaigns->add_option("--interval", arguments->interval, "minute, hour or day")->capture_default_str();
  add_filter_option(*campaigns, *arguments);
  campaigns->footer("Example:\n  marquee report campaigns --interval hour");
  campaigns->callback([&app, arguments] {
    app.exit_code =
        run_report(app, "campaigns", *arguments, with_filters(*arguments, {{"interval", arguments->interval}}));
  });

  auto* segments = add_kind(*command, "segments", "How many users segments have, and how many in common", arguments);
  segments->add_option("--segments", arguments->segments, "Ids, separated by commas (default: all of the site)");
  segments->footer("Example:\n  marquee report segments --site campus --last 7d");
  segments->callback([&app, arguments] {
    app.exit_code = run_report(app, "segments", *arguments, {{"segments", arguments->segments}});
  });

  add_deliveries_command(*command, app);

  auto* saved = command->add_subcommand("saved", "Reports that were saved: a list of them, or what one says now");
  auto which = std::make_shared<std::string>("list");
  saved->add_option("report", *which, "list, the id of one, or its address")->capture_default_str();
  saved->add_option("--format", arguments->format, kFormatsHelp)->check(CLI::IsMember(kFormats))->capture_default_str();
  saved->footer("Examples:\n  marquee report saved\n  marquee report saved 3f6c0a5be1d24f07 --format png > ctr.png");
  saved->callback([&app, arguments, which] {
    app.exit_code = *which == "list" ? list_saved(app, arguments->format) : run_saved(app, *which, arguments->format);
  });
}

}  // namespace marquee::app
