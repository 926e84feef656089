#include "load_status.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "feed_status.h"
#include "marquee/api/pipeline_json.h"
#include "marquee/base/time.h"
#include "marquee/http/client.h"
#include "parts.h"
#include "store_access.h"
#include "text_table.h"

namespace marquee::app {
namespace {

using ingest::PartitionState;
using ingest::PipelinePartition;

constexpr int kWantsAttention = 2;
/// Between two looks: what moves is seen only by looking twice. Longer than a batch is on its way.
constexpr auto kBetweenStatusLooks = std::chrono::seconds(2);
constexpr auto kBetweenTries = std::chrono::milliseconds(100);
constexpr int kMostTries = 50;

/// Of Kafka and the store, whether a `marquee serve` runs or not.
Result<ingest::Pipeline> look_twice(const App& app) {
  const auto endpoint = store_endpoint(app);
  if (!endpoint) return endpoint.error();
  clickhouse::Client store(*endpoint);
  const auto log = open_event_log(app.settings(), nullptr);
  if (!log) return log.error();
  const std::string topic = topic_of(app.settings());
  ingest::PipelineTracker tracker{Millis(kBetweenStatusLooks) / 2};
  tracker.add(ingest::look_at_pipeline(store, **log, topic));
  std::this_thread::sleep_for(kBetweenStatusLooks);
  return tracker.add(ingest::look_at_pipeline(store, **log, topic));
}

/// The local log is open in `marquee serve` and nowhere else.
Result<ingest::Pipeline> ask_serve(const App& app) {
  const auto running = app.running();
  if (!running) return running.error();
  http::Client client(running->http_url);
  http::Headers headers;
  headers.add("Authorization", "Bearer " + running->admin_token);
  const auto began = SystemClock().now().time_since_epoch().count();
  for (int tries = 1;; ++tries) {
    const auto answer = client.send("GET", "/v1/pipeline", headers, "");
    if (!answer) return Error::retry(answer.error().message);
    if (answer->status != 200) return Error::retry(fmt::format("GET /v1/pipeline answered {}", answer->status));
    auto pipeline = api::parse_pipeline(answer->body);
    // Nobody may have asked for a while, so that it looked some seconds ago; asked, it looks anew.
    if (!pipeline || pipeline->now.time_ms >= began || tries == kMostTries) return pipeline;
    std::this_thread::sleep_for(kBetweenTries);
  }
}

std::string rate_text(double per_second) {
  return per_second > 0 && per_second < 10 ? fmt::format("{:.1f}", per_second) : fmt::format("{:.0f}", per_second);
}

std::string done_text(const PipelinePartition& one) {
  if (one.told.lag_events() == 0) return "-";
  return one.done_in ? span_text(*one.done_in) : one.state == PartitionState::landing ? "-" : "never";
}

std::string loader_text(const ingest::Pipeline& pipeline, const PipelinePartition& one) {
  if (one.has_loader == false) return "none";
  if (!one.told.loader.empty()) return one.told.loader;
  return pipeline.store_answers && one.has_loader != true ? "none" : "not known";
}

void print_partitions(const ingest::Pipeline& pipeline) {
  std::vector<Row> rows = {{"partition", "state", "landed", "end", "waiting", "oldest", "landing/s", "arriving/s",
                            "done in", "batch", "dead", "loader", "told"}};
  for (const PipelinePartition& one : pipeline.partitions) {
    const auto& told = one.told;
    const auto since_told = static_cast<double>(pipeline.now.time_ms - told.time_ms) / 1'000;
    rows.push_back({fmt::to_string(told.partition), std::string(ingest::name_of(one.state)),
                    fmt::to_string(told.landed), fmt::to_string(told.end), fmt::to_string(told.lag_events()),
                    told.lag_events() == 0 ? "-" : span_text(one.lag_seconds), rate_text(one.landing_per_second),
                    rate_text(one.arriving_per_second), done_text(one), fmt::to_string(told.batch_rows),
                    fmt::to_string(one.dead_letters), loader_text(pipeline, one),
                    told.time_ms == 0 ? "never" : span_text(std::max(since_told, 0.0)) + " ago"});
  }
  print_table(rows, "rlrrrrrrrrrll");
}

/// What is wrong and what to do, a line for each kind.
void print_advice(const ingest::Pipeline& pipeline) {
  if (!pipeline.log_answers) fmt::print("The log does not answer: the partitions are as they were when it last did.\n");
  if (!pipeline.store_answers)
    fmt::print("The store does not answer: nothing lands, and what is acknowledged waits in the log.\n");
  const auto say = [&](PartitionState state, const char* one, const char* many, const char* advice) {
    std::vector<log::Partition> found;
    for (const auto& partition : pipeline.partitions)
      if (partition.state == state) found.push_back(partition.told.partition);
    if (found.empty()) return;
    const std::string who = found.size() == 1 ? fmt::format("Partition {}", found.front())
                            : found.size() == pipeline.partitions.size()
                                ? fmt::format("All {} partitions", found.size())
                                : fmt::format("Partitions {}", fmt::join(found, ", "));
    fmt::print("{} {}. {}\n", who, found.size() == 1 ? one : many, advice);
  };
  say(PartitionState::orphaned, "has no loader", "have no loader", "Start one more: marquee load");
  say(PartitionState::silent, "has a loader that tells nothing", "have loaders that tell nothing",
      "Look at its process and its log; ended, its partitions go to the others.");
  say(PartitionState::stalled, "has events that wait, and none lands", "have events that wait, and none lands",
      "Look at its loader's log.");
  say(PartitionState::behind, "gets events faster than they land", "get events faster than they land",
      "Start more loaders, or give the store more: marquee load");
  for (const auto& one : pipeline.partitions) {
    if (one.told.last_error.empty()) continue;
    fmt::print("Partition {}, last error: {}\n", one.told.partition, one.told.last_error);
  }
  std::uint64_t letters = 0;
  for (const auto& one : pipeline.partitions) letters += one.dead_letters;
  if (letters > 0)
    fmt::print("{} dead {}: the console's pipeline page shows why.\n", letters, letters == 1 ? "letter" : "letters");
}

void print_answer(const ingest::Pipeline& pipeline) {
  const auto& now = pipeline.now;
  if (now.lag_events == 0) {
    fmt::print("0 events wait: everything that was acknowledged is in the store\n");
  } else {
    fmt::print("{} {}, the oldest for {}; {} a second land, {} come", now.lag_events,
               now.lag_events == 1 ? "event waits" : "events wait", span_text(now.lag_seconds),
               rate_text(now.landing_per_second), rate_text(now.arriving_per_second));
    if (pipeline.done_in) {
      fmt::print("; done in about {}\n", span_text(*pipeline.done_in));
    } else {
      fmt::print("{}\n", pipeline.wants_attention() ? "; at this pace it is never done" : "; it keeps up");
    }
  }
}

}  // namespace

int show_load_status(const App& app, bool as_json) {
  const auto pipeline = app.settings().log_kind == "kafka" ? look_twice(app) : ask_serve(app);
  if (!pipeline) return fail(pipeline.error());
  if (as_json) {
    fmt::print("{}\n", api::pipeline_json(*pipeline, pipeline_context(app.settings())));
  } else {
    if (!pipeline->partitions.empty()) print_partitions(*pipeline);
    print_answer(*pipeline);
    print_advice(*pipeline);
    if (const auto printed = print_feeds_status(app); !printed) return fail(printed.error());
  }
  if (pipeline->partitions.empty()) return fail(Error::retry("the log does not answer"));
  return pipeline->wants_attention() ? kWantsAttention : 0;
}

}  // namespace marquee::app
