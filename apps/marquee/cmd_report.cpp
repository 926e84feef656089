// marquee report: the console's reports as a table, JSON or CSV.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "commands.h"
#include "marquee/http/client.h"
#include "report_funnel.h"
#include "store_access.h"
#include "text_table.h"

namespace marquee::app {
namespace {

using Json = nlohmann::ordered_json;

struct Arguments {
  std::string site = "open-bandit";
  std::string from;
  std::string to;
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
};

std::string text(const Json& value) {
  if (value.is_null()) return "";
  if (value.is_string()) return value.get<std::string>();
  if (value.is_number_float()) return fmt::format("{:.6g}", value.get<double>());
  return value.dump();
}

std::string percent(const Json& value) {
  return value.is_null() ? "" : fmt::format("{:.3f} %", value.get<double>() * 100);
}

void add_cells(Row& row, const Json& object, std::initializer_list<const char*> names) {
  for (const char* name : names) row.push_back(text(object.at(name)));
}

/// The header, the total, and a row each. A comparison has a column more for each metric.
void add_metrics(std::vector<Row>& rows, const Json& report, bool for_people) {
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
        row.push_back(for_people && value.contains("low") ? percent(value.at("value")) : text(value.at("value")));
      }
    }
    rows.push_back(std::move(row));
  };
  for (const auto& one : report.at("rows")) add(one.at("keys").get<Row>(), one);
  if (report.at("by").empty() || for_people) {
    Row keys(report.at("by").size());
    if (!keys.empty()) keys.front() = "(all)";
    add(std::move(keys), report.at("total"));
  }
}

void add_paths(std::vector<Row>& rows, const Json& report) {
  rows.push_back({"step", "from", "to", "sessions"});
  const auto place = [&](const Json& node) { return node.at("place").is_null() ? "(others)" : text(node.at("place")); };
  for (const auto& link : report.at("links")) {
    const auto& from = report.at("nodes").at(link.at("from").get<std::size_t>());
    const auto& to = report.at("nodes").at(link.at("to").get<std::size_t>());
    rows.push_back({text(from.at("step")), place(from), place(to), text(link.at("sessions"))});
  }
}

void add_retention(std::vector<Row>& rows, const Json& report) {
  std::size_t most = 0;
  for (const auto& cohort : report.at("cohorts")) most = std::max(most, cohort.at("back").size());
  Row header = {"cohort", "users"};
  for (std::size_t i = 0; i < most; ++i) header.push_back(fmt::format("+{}", i));
  rows.push_back(std::move(header));
  for (const auto& cohort : report.at("cohorts")) {
    Row row = {cohort.at("time").get<std::string>().substr(0, 10), text(cohort.at("users"))};
    for (const auto& back : cohort.at("back")) row.push_back(text(back));
    row.resize(most + 2);
    rows.push_back(std::move(row));
  }
}

/// First the header.
std::vector<Row> rows_of(const std::string& kind, const Json& report, bool for_people) {
  const auto share = [&](const Json& value) { return for_people ? percent(value) : text(value); };
  std::vector<Row> rows;
  if (kind == "ctr") {
    Row header = report.at("by").get<Row>();
    header.insert(header.end(), {"impressions", "viewable_impressions", "clicks", "ctr", "low", "high"});
    rows.push_back(std::move(header));
    for (const auto& one : report.at("rows")) {
      Row row = one.at("keys").get<Row>();
      add_cells(row, one, {"impressions", "viewable_impressions", "clicks"});
      for (const char* name : {"ctr", "low", "high"}) row.push_back(share(one.at(name)));
      rows.push_back(std::move(row));
    }
  } else if (kind == "metrics") {
    add_metrics(rows, report, for_people);
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
      for (const char* name : {"ctr", "viewability"}) row.push_back(share(cell.at(name)));
      rows.push_back(std::move(row));
    }
  } else if (kind == "funnel") {
    rows = funnel_rows(report, for_people);
  } else {
    rows.push_back({"campaign", "time", "impressions", "viewable_impressions", "clicks", "ctr", "low", "high"});
    for (const auto& campaign : report.at("campaigns")) {
      for (const auto& point : campaign.at("points")) {
        Row row = {text(campaign.at("id")), text(point.at("time"))};
        add_cells(row, point, {"impressions", "viewable_impressions", "clicks"});
        for (const char* name : {"ctr", "low", "high"}) row.push_back(share(point.at(name)));
        rows.push_back(std::move(row));
      }
    }
  }
  return rows;
}

/// RFC 4180.
void print_csv(const std::vector<Row>& rows) {
  for (const Row& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      std::string cell = row[i];
      if (cell.find_first_of(",\"\r\n") != std::string::npos) {
        for (std::size_t at = 0; (at = cell.find('"', at)) != std::string::npos; at += 2) cell.insert(at, 1, '"');
        cell = '"' + cell + '"';
      }
      fmt::print("{}{}", i == 0 ? "" : ",", cell);
    }
    fmt::print("\r\n");
  }
}

/// The report, or an error that says what to do.
Result<Json> ask(const App& app, const std::string& method, const std::string& target, const std::string& body) {
  const auto running = app.running();
  if (!running) return running.error();
  http::Client client(running->http_url, {.timeout_ms = 120'000});
  http::Headers headers;
  headers.add("Authorization", "Bearer " + running->admin_token);
  if (!body.empty()) headers.add("Content-Type", "application/json");
  const auto answer = client.send(method, target, headers, body);
  if (!answer) return Error::retry(answer.error().message);
  Json report = Json::parse(answer->body, nullptr, /*allow_exceptions=*/false);
  if (answer->status == 200) return report;
  const bool is_named = report.is_object() && report.contains("error");
  return Error::reject(is_named ? report["error"].value("message", "") : fmt::format("status {}", answer->status));
}

void print(const std::string& kind, const Json& report, const std::string& format) {
  if (format == "json") {
    fmt::print("{}\n", report.dump(2));
  } else if (format == "csv") {
    print_csv(rows_of(kind, report, /*for_people=*/false));
  } else {
    print_table(rows_of(kind, report, /*for_people=*/true));
  }
}

int run(const App& app, const std::string& kind, const Arguments& arguments,
        const std::vector<std::pair<std::string, std::string>>& specific) {
  std::string target = fmt::format("/v1/reports/{}?site={}", kind, http::percent_encode(arguments.site));
  const auto add = [&](const std::string& name, const std::string& value) {
    if (!value.empty()) target += fmt::format("&{}={}", name, http::percent_encode(value));
  };
  add("from", arguments.from);
  add("to", arguments.to);
  for (const auto& [name, value] : specific) add(name, value);
  const auto report = ask(app, "GET", target, "");
  if (!report) return fail(report.error());
  print(kind, *report, arguments.format);
  return 0;
}

/// A funnel's definition does not fit into an address.
int run_funnel(const App& app, const Arguments& arguments) {
  auto definition = funnel_definition(arguments.funnel);
  if (!definition) return fail(definition.error());
  auto& body = *definition;
  body["site"] = arguments.site;
  if (!arguments.from.empty()) body["from"] = arguments.from;
  if (!arguments.to.empty()) body["to"] = arguments.to;
  if (!arguments.filters.empty()) body["filter"] = arguments.filters;
  if (arguments.compares) body["compare"] = "previous";
  const auto report = ask(app, "POST", "/v1/reports/funnel", body.dump());
  if (!report) return fail(report.error());
  const bool tells_dropped = !report->at("dropped").is_null();
  if (tells_dropped && arguments.format == "csv") {
    print_csv(dropped_rows(*report));
    return 0;
  }
  print("funnel", *report, arguments.format);
  if (tells_dropped && arguments.format == "table") {
    fmt::print("\n{}\n", dropped_sentence(*report));
    print_table(dropped_rows(*report));
  }
  return 0;
}

CLI::App* add_kind(CLI::App& parent, const char* name, const char* what, const std::shared_ptr<Arguments>& arguments) {
  auto* command = parent.add_subcommand(name, what);
  command->add_option("--site", arguments->site, "Site")->capture_default_str();
  command->add_option("--from", arguments->from,
                      "From this time on, as 2026-01-31 or 2026-01-31T08:00:00Z (default: the first event)");
  command->add_option("--to", arguments->to, "Before this time (default: after the last event)");
  command->add_option("--format", arguments->format, "table, json or csv")
      ->check(CLI::IsMember({"table", "json", "csv"}))
      ->capture_default_str();
  return command;
}

void add_filter_option(CLI::App& command, Arguments& arguments) {
  command.add_option(
      "--filter", arguments.filters,
      "<dimension>=<value>,<value> keeps events with one of them, <dimension>!=... those with none; may be repeated");
}

void add_compare_option(CLI::App& command, Arguments& arguments) {
  command.add_flag("--compare", arguments.compares,
                   "Compare with the period of the same length before; needs --from and --to");
}

void add_table_options(CLI::App& command, Arguments& arguments) {
  add_filter_option(command, arguments);
  add_compare_option(command, arguments);
  command.add_option("--min-impressions", arguments.min_impressions, "Leave out rows with fewer");
  command.add_option("--limit", arguments.limit, "Rows at most");
}

using Parameters = std::vector<std::pair<std::string, std::string>>;

Parameters with_filters(const Arguments& arguments, Parameters parameters) {
  for (const auto& filter : arguments.filters) parameters.emplace_back("filter", filter);
  return parameters;
}

Parameters table_parameters(const Arguments& arguments, Parameters parameters) {
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
  auto arguments = std::make_shared<Arguments>();

  auto* ctr =
      add_kind(*command, "ctr", "Click-through rate by one to three dimensions, with 95 % intervals", arguments);
  ctr->add_option("--by", arguments->by, "Dimensions, separated by commas; props.<name> is one too")
      ->capture_default_str();
  add_table_options(*ctr, *arguments);
  ctr->footer("Example:\n  marquee report ctr --by policy,campaign_id");
  ctr->callback([&app, arguments] {
    app.exit_code = run(app, "ctr", *arguments, table_parameters(*arguments, {{"by", arguments->by}}));
  });

  auto* metrics = add_kind(*command, "metrics", "Any metrics by any dimensions", arguments);
  metrics->add_option("--metrics", arguments->metrics, "One to ten, separated by commas; the first one orders the rows")
      ->capture_default_str();
  metrics->add_option("--by", arguments->metrics_by, "None to three dimensions; props.<name> is one too");
  add_table_options(*metrics, *arguments);
  metrics->footer("Example:\n  marquee report metrics --metrics ctr,reach,ecpm --by college_id --filter device=phone");
  metrics->callback([&app, arguments] {
    app.exit_code = run(app, "metrics", *arguments,
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
    app.exit_code = run(
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
  searches->footer("Example:\n  marquee report searches --site campus --limit 20");
  searches->callback(
      [&app, arguments] { app.exit_code = run(app, "searches", *arguments, {{"limit", arguments->limit}}); });

  auto* paths = add_kind(*command, "paths", "The ways that sessions take from place to place", arguments);
  paths->add_option("--by", arguments->place, "What a place is: a dimension")->capture_default_str();
  paths->add_option("--start", arguments->start, "From a session's first time at this place on");
  add_filter_option(*paths, *arguments);
  paths->footer("Example:\n  marquee report paths --site campus --start home");
  paths->callback([&app, arguments] {
    app.exit_code = run(app, "paths", *arguments,
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
    app.exit_code =
        run(app, "retention", *arguments,
            with_filters(*arguments,
                         {{"interval", arguments->interval}, {"start", arguments->start}, {"back", arguments->back}}));
  });

  auto* campaigns = add_kind(*command, "campaigns", "Campaigns over time", arguments);
  campaigns->add_option("--interval", arguments->interval, "minute, hour or day")->capture_default_str();
  campaigns->footer("Example:\n  marquee report campaigns --interval hour");
  campaigns->callback(
      [&app, arguments] { app.exit_code = run(app, "campaigns", *arguments, {{"interval", arguments->interval}}); });
}

}  // namespace marquee::app
