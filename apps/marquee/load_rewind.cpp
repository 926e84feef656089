#include "load_rewind.h"

#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <mutex>
#include <nlohmann/json.hpp>

#include "marquee/clickhouse/migrations.h"
#include "marquee/ingest/rewind.h"
#include "parts.h"
#include "sending.h"
#include "store_access.h"

namespace marquee::app {
namespace {

/// Shows progress on stderr: a line that is drawn over on a terminal, else a line for each step and every five seconds.
class RewindDisplay {
 public:
  void show(const ingest::RewindProgress& progress) {
    const bool is_new = progress.step != step_;
    if (!is_new && progress.seconds - shown_ < (is_terminal_ ? 0.1 : 5)) return;
    step_ = progress.step;
    shown_ = progress.seconds;
    fmt::print(stderr, "{}{}{}", is_terminal_ ? "\r\033[K" : "", line(progress), is_terminal_ ? "" : "\n");
    std::fflush(stderr);
  }
  void clear() const {
    if (is_terminal_ && !step_.empty()) fmt::print(stderr, "\r\033[K");
  }

 private:
  static std::string line(const ingest::RewindProgress& progress) {
    std::string text(progress.step);
    if (progress.to_read == 0) return text;
    const double part = static_cast<double>(progress.read) / static_cast<double>(progress.to_read);
    text += fmt::format(": {} of {} records ({:.0f} %)", progress.read, progress.to_read, 100 * part);
    if (progress.seconds > 0 && progress.read > 0)
      text += fmt::format(", {:.0f} a second", static_cast<double>(progress.read) / progress.seconds);
    return text;
  }

  const bool is_terminal_ = ::isatty(STDERR_FILENO) != 0;
  std::string step_;
  double shown_ = 0;
};

void print_plan(const ingest::RewindPlan& plan, bool as_json) {
  nlohmann::ordered_json partitions = nlohmann::ordered_json::array();
  std::uint64_t rows_there = 0;
  if (!as_json)
    fmt::print("{:>9} {:>14} {:>14} {:>14} {:>14} {:>14}\n", "partition", "oldest", "from", "to", "records",
               "rows there");
  for (const auto& one : plan.partitions) {
    rows_there += one.rows_there;
    if (as_json) {
      partitions.push_back({{"partition", one.partition},
                            {"oldest", one.oldest},
                            {"from", one.range.begin},
                            {"to", one.range.end},
                            {"rows_there", one.rows_there}});
    } else {
      fmt::print("{:>9} {:>14} {:>14} {:>14} {:>14} {:>14}\n", one.partition, one.oldest, one.range.begin,
                 one.range.end, one.range.size(), one.rows_there);
    }
  }
  if (as_json) {
    const nlohmann::ordered_json body = {{"records", plan.records()},
                                         {"rows_there", rows_there},
                                         {"rows_before", plan.rows_before},
                                         {"partitions", std::move(partitions)}};
    fmt::print("{}\n", body.dump());
  } else {
    fmt::print("{} records would be read; {} rows are there of these, and {} older ones stay\n", plan.records(),
               rows_there, plan.rows_before);
  }
}

void print_rewound(const ingest::RewindSummary& done, const RewindArguments& arguments) {
  if (arguments.as_json) {
    const nlohmann::ordered_json body = {{"records", done.records},
                                         {"events", done.events},
                                         {"repeats", done.repeats},
                                         {"dead_letters", done.dead_letters},
                                         {"missing", done.missing},
                                         {"surplus", done.surplus},
                                         {"of_another_log", done.strangers},
                                         {"days", done.days},
                                         {"inserts_held_ms", done.inserts_held.count()},
                                         {"seconds", done.seconds}};
    fmt::print("{}\n", body.dump());
    return;
  }
  fmt::print("{} records were read in {:.1f} s: {} events, {} repeats, {} dead letters\n", done.records, done.seconds,
             done.events, done.repeats, done.dead_letters);
  fmt::print("{} rows were missing{}\n", done.missing, done.missing == 0 ? "" : " and are there again");
  if (arguments.is_in_place) {
    fmt::print("the rollups of {} days differed{}\n", done.days, done.days == 0 ? "" : " and were counted again");
    if (done.surplus != 0)
      fmt::print("{} rows are there once too often; without --in-place they are left out\n", done.surplus);
  } else {
    fmt::print("{} rows were there once too often{}\n", done.surplus, done.surplus == 0 ? "" : " and are gone");
    fmt::print("{} days were made anew and swapped in; loaders waited for {:.1f} s\n", done.days,
               static_cast<double>(done.inserts_held.count()) / 1'000);
  }
  if (done.strangers != 0) fmt::print("{} rows of another log at the same offsets were kept\n", done.strangers);
}

Result<void> check_schema(clickhouse::Client& store) {
  const auto schema = clickhouse::migration_status(store, clickhouse::built_in_migrations());
  if (!schema) return schema.error();
  for (const auto& [migration, is_applied] : *schema) {
    if (!is_applied)
      return Error::reject(
          fmt::format("the store's schema is old (migration {}): run `marquee migrate up`", migration.number));
  }
  return {};
}

}  // namespace

int run_rewind(const App& app, const RewindArguments& arguments) {
  ingest::RewindOptions options;
  const auto from = ingest::parse_rewind_from(arguments.from, SystemClock().now());
  if (!from) return fail(from.error());
  options.from = *from;
  const Settings& settings = app.settings();
  if (settings.log_kind != "kafka") {
    return fail(
        Error::reject("`marquee load --from` needs Kafka: a local log belongs to the Marquee that runs, and keeps what "
                      "has landed for "
                      "log.keep_confirmed only; `marquee rebuild` counts its rollups again"));
  }
  if (!settings.store_cluster.empty())
    return fail(Error::reject(
        "`marquee load --from` swaps tables on one server, and store.cluster names a cluster: there, `marquee rebuild` "
        "counts rollups again"));
  options.topic = settings.kafka_topic;
  options.max_batch_rows = settings.loader_batch_rows;
  options.identity_window = settings.loader_identity_window;
  auto endpoint = store_endpoint(app);
  if (!endpoint) return fail(endpoint.error());
  clickhouse::Client store(*endpoint);
  if (auto known = check_schema(store); !known) return fail(known.error());
  auto log = open_event_log(settings, nullptr);
  if (!log) return fail(log.error());
  if (arguments.is_dry_run) {
    const auto plan = ingest::plan_rewind(**log, store, options.from);
    if (!plan) return fail(plan.error());
    print_plan(*plan, arguments.as_json);
    return 0;
  }
  options.patience_with_another = std::chrono::seconds(arguments.wait_seconds);
  options.stop = &stop_on_signal();
  RewindDisplay display;
  if (!arguments.is_quiet)
    options.on_progress = [&display](const ingest::RewindProgress& progress) { display.show(progress); };
  const auto done =
      arguments.is_in_place ? ingest::rewind_in_place(options, **log, store) : ingest::rewind(options, **log, store);
  display.clear();
  if (!done) return fail(done.error());
  print_rewound(*done, arguments);
  return 0;
}

}  // namespace marquee::app
