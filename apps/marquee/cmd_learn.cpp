// marquee learn: the click model from what the store has.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "commands.h"
#include "decision_logs.h"
#include "decisions.h"
#include "format_option.h"
#include "marquee/base/time.h"
#include "marquee/serving/history.h"
#include "parts.h"
#include "store_access.h"
#include "text_table.h"
#include "time_option.h"

namespace marquee::app {
namespace {

/// What was decided and counted a moment ago may not have landed yet.
constexpr Millis kLearnLanding{10'000};
constexpr int kDifferent = 2;

struct LearnArguments {
  std::string from, to, out;
  bool is_from_log = false, is_repeated = false;
  std::string format = "table";
};

struct Logs {
  std::unique_ptr<log::EventLog> events, decisions, versions;
};

Result<Logs> open_logs(const App& app) {
  const Settings& settings = app.settings();
  if (app.running()) return Error::reject("a Marquee that runs has the logs: stop it first");
  if (settings.log_kind != "local")
    return Error::reject("log.kind: this machine has no logs to learn from; use the store");
  Logs logs;
  auto events = open_event_log(settings, nullptr);
  if (!events) return events.error();
  logs.events = std::move(*events);
  auto decisions = open_local_decisions(settings, nullptr);
  if (!decisions) return decisions.error();
  logs.decisions = std::move(*decisions);
  auto versions = open_versions_log(settings, model_path(settings));
  if (!versions) return versions.error();
  logs.versions = std::move(*versions);
  return logs;
}

Result<serving::HistoryLearned> learn(const App& app, const LearnArguments& arguments) {
  const Settings& settings = app.settings();
  const auto from = time_of(arguments.from, "--from");
  if (!from) return from.error();
  const auto secrets = load_secrets(settings.data_dir + "/secrets.json", built_in_sites());
  if (!secrets) return secrets.error();
  const auto options = training_options(settings, *secrets);
  const auto out = arguments.out.empty() ? serving::history_path(model_path(settings)) : arguments.out;
  if (arguments.is_from_log) {
    const auto logs = open_logs(app);
    if (!logs) return logs.error();
    return serving::learn_logs(options, *logs->events, *logs->decisions, *from, out);
  }
  WallTime to = SystemClock().now() - kLearnLanding;
  if (!arguments.to.empty()) {
    const auto asked = time_of(arguments.to, "--to");
    if (!asked) return asked.error();
    to = std::min(to, *asked);
  }
  const auto endpoint = store_endpoint(app);
  if (!endpoint) return endpoint.error();
  clickhouse::Client store(*endpoint);
  return serving::learn_history(options, store, *from, to, out);
}

int repeat(const App& app, const std::string& format) {
  const Settings& settings = app.settings();
  const auto secrets = load_secrets(settings.data_dir + "/secrets.json", built_in_sites());
  if (!secrets) return fail(secrets.error());
  const auto logs = open_logs(app);
  if (!logs) return fail(logs.error());
  const auto repeated = serving::repeat_versions(training_options(settings, *secrets), *logs->events, *logs->decisions,
                                                 *logs->versions, model_path(settings));
  if (!repeated) return fail(repeated.error());
  if (format == "json") {
    const nlohmann::ordered_json json = {{"versions", repeated->versions},
                                         {"first", repeated->first},
                                         {"last", repeated->last},
                                         {"rolled_back", repeated->rolled_back},
                                         {"different", repeated->different}};
    fmt::print("{}\n", json.dump(2));
  } else if (repeated->different == 0) {
    fmt::print("{} versions, learned-{} to learned-{}, came out of the logs again as they are recorded\n",
               repeated->versions, repeated->first, repeated->last);
  } else {
    fmt::print("learned-{} came out otherwise than it is recorded: the logs, the options or the program are others\n",
               repeated->different);
  }
  return repeated->different == 0 ? 0 : kDifferent;
}

int run_learn(const App& app, const LearnArguments& arguments) {
  if (arguments.is_repeated) return repeat(app, arguments.format);
  if (arguments.from.empty()) return fail(Error::reject("say from when (--from), or --repeat"));
  const auto learned = learn(app, arguments);
  if (!learned) return fail(learned.error());
  const auto& quality = learned->quality;
  if (arguments.format == "json") {
    const nlohmann::ordered_json json = {{"impressions", learned->impressions},
                                         {"clicks", learned->clicks},
                                         {"waiting", learned->waiting},
                                         {"passed_over", learned->passed_over},
                                         {"until_ms", learned->until.time_since_epoch().count()},
                                         {"calibration", quality.calibration},
                                         {"normalized_entropy", quality.normalized_entropy},
                                         {"hash", fmt::format("{:016x}", learned->hash)}};
    fmt::print("{}\n", json.dump(2));
    return 0;
  }
  print_table(
      {{"impressions learned", fmt::format("{}, {} wait for their click", learned->impressions, learned->waiting)},
       {"clicks", fmt::format("{:.6g}, those still to come reckoned in", learned->clicks)},
       {"passed over", fmt::format("{} impressions whose decision is not known", learned->passed_over)},
       {"calibration", fmt::format("{:.4g} (1 is right)", quality.calibration)},
       {"normalized entropy", fmt::format("{:.4g} (below 1 is better than the CTR)", quality.normalized_entropy)},
       {"hash", fmt::format("{:016x}", learned->hash)}},
      "ll");
  return 0;
}

}  // namespace

void add_learn_command(CLI::App& root, App& app) {
  auto* command =
      root.add_subcommand("learn", "Learn the click model anew, from decisions and clicks that the store has");
  auto arguments = std::make_shared<LearnArguments>();
  command->add_option("--from", arguments->from, "First time, as 2026-01-31T00:00:00Z");
  command->add_option("--to", arguments->to, "Time at which to end (default: now, but for the last 10 s)");
  command->add_option("--out", arguments->out,
                      "File to write (default: the one that this data directory's Marquee takes up)");
  command->add_flag("--from-log", arguments->is_from_log,
                    "From this machine's logs instead, as far as they reach back; of a Marquee that is stopped");
  command->add_flag("--repeat", arguments->is_repeated,
                    "Instead, make all recorded versions again from this machine's logs and compare them; of a Marquee "
                    "that is stopped. Exit status 2 where one differs");
  add_format_option(*command, arguments->format);
  command->footer(
      "A running `marquee serve` takes the model up within a second, and one that starts does when it starts: as a "
      "new\n"
      "version, which goes on with what the logs have after it. The same history makes the same model, bit for bit.\n"
      "Examples:\n"
      "  marquee learn --from 2026-01-01T00:00:00Z\n"
      "  marquee learn --from 2026-01-01T00:00:00Z --to 2026-02-01T00:00:00Z --out january.model --format json\n"
      "  marquee learn --repeat");
  command->callback([&app, arguments] { app.exit_code = run_learn(app, *arguments); });
}

}  // namespace marquee::app
