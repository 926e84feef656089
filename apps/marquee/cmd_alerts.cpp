// marquee alerts, marquee report deliveries: what is sent to webhooks, listed, added and removed.
#include <fmt/format.h>

#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "api_access.h"
#include "commands.h"
#include "marquee/http/message.h"
#include "text_table.h"

namespace marquee::app {
namespace {

using Json = nlohmann::ordered_json;

struct AlertArguments {
  std::string which;
  std::string url;
  std::string site = "campus";
  std::string owner = "admin";
  std::string format = "json";
  std::string at, on, zone = "UTC";
  unsigned minutes = 0;
  bool is_hourly = false;
  std::string metric = "ctr";
  std::vector<std::string> filters;
  std::optional<double> below, above, fell, rose, stalled;
  std::string window = "1h", every = "5m", remind = "0s";
  unsigned checks = 1;
  std::uint64_t min_count = 0;
};

std::string alert_text(const Json& value) {
  return value.is_null() ? "" : value.is_string() ? value.get<std::string>() : value.dump();
}

int list_noticed(const App& app, const std::string& path, const char* name, Row (*row_of)(const Json&), Row header) {
  const auto answer = ask(app, "GET", path, "");
  if (!answer) return fail(answer.error());
  std::vector<Row> rows = {std::move(header)};
  const Json listed = Json::parse(*answer);
  for (const auto& one : listed.at(name)) rows.push_back(row_of(one));
  print_table(rows, std::string(rows.front().size(), 'l'));
  return 0;
}

int add_signed(const App& app, const std::string& path, const Json& body) {
  const auto answer = ask(app, "POST", path, body.dump());
  if (!answer) return fail(answer.error());
  const Json made = Json::parse(*answer);
  fmt::print("{}\nsigned with {}, which is shown only now\n", alert_text(made.at("id")), alert_text(made.at("secret")));
  return 0;
}

int act(const App& app, const char* method, const std::string& path, const std::string& id, const char* rest) {
  const auto answer = ask(app, method, fmt::format("{}/{}{}", path, http::percent_encode(id), rest), "");
  return answer ? 0 : fail(answer.error());
}

/// "every 15 minutes", "day 08:00 Asia/Kolkata"
std::string schedule_text(const Json& schedule) {
  std::string written;
  for (const auto& [name, value] : schedule.items()) written += (written.empty() ? "" : " ") + alert_text(value);
  return written;
}

Json schedule_of(const AlertArguments& arguments) {
  if (arguments.minutes > 0) return {{"every", "minutes"}, {"minutes", arguments.minutes}};
  if (arguments.is_hourly) return {{"every", "hour"}, {"zone", arguments.zone}};
  Json schedule = {{"every", arguments.on.empty() ? "day" : "week"}, {"at", arguments.at}, {"zone", arguments.zone}};
  if (!arguments.on.empty()) schedule["on"] = arguments.on;
  return schedule;
}

Json rule_of(const AlertArguments& arguments) {
  Json rule = {{"site", arguments.site},     {"metric", arguments.metric},      {"filter", arguments.filters},
               {"window", arguments.window}, {"every", arguments.every},        {"for", arguments.checks},
               {"remind", arguments.remind}, {"min_count", arguments.min_count}};
  for (const auto& [name, threshold] : {std::pair("below", arguments.below),
                                        {"above", arguments.above},
                                        {"fell", arguments.fell},
                                        {"rose", arguments.rose},
                                        {"stalled", arguments.stalled}}) {
    if (!threshold) continue;
    rule["condition"] = name;
    rule["threshold"] = *threshold;
  }
  return rule;
}

/// list, remove and the trial; what adds is the caller's. Gives the command that adds.
CLI::App* add_verbs(CLI::App& command, App& app, const std::shared_ptr<AlertArguments>& arguments,
                    const std::string& path, const char* trial, const std::function<int()>& list_all) {
  command.add_subcommand("list", "What there is")->callback([&app, list_all] { app.exit_code = list_all(); });
  command.callback([&app, &command, list_all] {
    if (command.get_subcommands().empty()) app.exit_code = list_all();
  });
  auto* remove = command.add_subcommand("remove", "Forget one");
  remove->add_option("id", arguments->which, "Its id")->required();
  remove->callback([&app, arguments, path] { app.exit_code = act(app, "DELETE", path, arguments->which, ""); });
  auto* send = command.add_subcommand(trial, "Send it once, now");
  send->add_option("id", arguments->which, "Its id")->required();
  send->callback([&app, arguments, path, trial] {
    app.exit_code = act(app, "POST", path, arguments->which, (std::string("/") + trial).c_str());
  });
  auto* add = command.add_subcommand("add", "Make one; prints its id and the secret that it is signed with");
  add->add_option("--owner", arguments->owner, "Whose it is")->capture_default_str();
  return add;
}

}  // namespace

void add_deliveries_command(CLI::App& report, App& app) {
  auto arguments = std::make_shared<AlertArguments>();
  auto* command = report.add_subcommand("deliveries", "Saved reports that are sent to webhooks");
  const std::string path = "/v1/deliveries";
  auto* added = add_verbs(*command, app, arguments, path, "send", [&app, path] {
    return list_noticed(
        app, path, "deliveries",
        [](const Json& one) -> Row {
          const auto state = one.at("is_paused").get<bool>() ? "paused " + alert_text(one.at("pause_reason"))
                                                             : "next " + alert_text(one.at("next_due"));
          return {alert_text(one.at("id")),          alert_text(one.at("report")), alert_text(one.at("format")),
                  schedule_text(one.at("schedule")), alert_text(one.at("url")),    state};
        },
        {"id", "report", "format", "schedule", "url", "state"});
  });
  added->add_option("report", arguments->which, "The id of a saved report")->required();
  added->add_option("url", arguments->url, "Where to, as https://example.com/hook")->required();
  added->add_option("--format", arguments->format, "json, csv, parquet or png")->capture_default_str();
  added->add_option("--at", arguments->at, "Daily at this local time, as 08:00");
  added->add_option("--on", arguments->on, "Not daily, but on this day of the week, as monday");
  added->add_option("--zone", arguments->zone, "Time zone, as Asia/Kolkata")->capture_default_str();
  added->add_flag("--hourly", arguments->is_hourly, "At each full hour");
  added->add_option("--minutes", arguments->minutes, "Every so many minutes");
  added->footer(
      "Example:\n  marquee report deliveries add 3f6c0a5be1d24f07 https://example.com/hook --at 08:00 --zone "
      "Asia/Kolkata");
  added->callback([&app, arguments, path] {
    app.exit_code = add_signed(app, path,
                               {{"report", arguments->which},
                                {"url", arguments->url},
                                {"format", arguments->format},
                                {"owner", arguments->owner},
                                {"schedule", schedule_of(*arguments)}});
  });
}

void add_alerts_command(CLI::App& root, App& app) {
  auto arguments = std::make_shared<AlertArguments>();
  auto* command = root.add_subcommand("alerts", "Conditions on metrics, and who is told when they hold");
  const std::string path = "/v1/alerts";
  auto* added = add_verbs(*command, app, arguments, path, "test", [&app, path] {
    return list_noticed(app, path, "alerts",
                        [](const Json& one) -> Row {
                          const auto& state = one.at("state");
                          return {alert_text(one.at("id")),
                                  alert_text(one.at("name")),
                                  alert_text(one.at("rule").at("site")),
                                  alert_text(one.at("rule").at("metric")),
                                  alert_text(one.at("rule").at("condition")),
                                  one.at("is_paused").get<bool>() ? "paused" : alert_text(state.at("status")),
                                  alert_text(state.at("now").at("value")),
                                  alert_text(state.at("checked"))};
                        },
                        {"id", "name", "site", "metric", "condition", "state", "value", "checked"});
  });
  added->add_option("name", arguments->which, "What it is called")->required();
  added->add_option("url", arguments->url, "Who is told, as https://example.com/hook")->required();
  added->add_option("--site", arguments->site, "Site")->capture_default_str();
  added->add_option("--metric", arguments->metric, "Any metric of `marquee report metrics`")->capture_default_str();
  added->add_option("--filter", arguments->filters, "<dimension>=<value>,<value>; may be repeated");
  auto* condition = added->add_option_group("condition");
  condition->add_option("--below", arguments->below, "The metric is below this");
  condition->add_option("--above", arguments->above, "The metric is above this");
  condition->add_option("--fell", arguments->fell, "It fell by so many percent against the period before");
  condition->add_option("--rose", arguments->rose, "It rose by so many percent against the period before");
  condition->add_option("--stalled", arguments->stalled, "A count is at most this, where it was more before");
  condition->require_option(1);
  added->add_option("--window", arguments->window, "Over which the metric is counted")->capture_default_str();
  added->add_option("--every", arguments->every, "How often it is looked at")->capture_default_str();
  added->add_option("--for", arguments->checks, "Checks in a row for which it must hold")->capture_default_str();
  added->add_option("--min-count", arguments->min_count, "With fewer (impressions, of a CTR) nothing is said")
      ->capture_default_str();
  added->add_option("--remind", arguments->remind, "How often to say so again while it holds")->capture_default_str();
  added->footer(
      "Example:\n  marquee alerts add \"CTR of law\" https://example.com/hook --metric ctr --fell 30 --filter "
      "campaign_id=law "
      "--window 1h --min-count 1000");
  added->callback([&app, arguments, path] {
    app.exit_code = add_signed(app, path,
                               {{"name", arguments->which},
                                {"url", arguments->url},
                                {"owner", arguments->owner},
                                {"rule", rule_of(*arguments)}});
  });
}

}  // namespace marquee::app
