#include "marquee/serving/decision_loader.h"

#include <chrono>
#include <map>
#include <string>

#include "decision_record.h"
#include "marquee/base/logging.h"

namespace marquee::serving {
namespace {

constexpr std::size_t kRecords = 50'000, kBytes = std::size_t{8} << 20;
/// Between inserts: each makes a part of the table, whatever its size.
constexpr auto kLinger = std::chrono::milliseconds(250);
constexpr auto kPatience = std::chrono::seconds(1);

}  // namespace

DecisionLoader::DecisionLoader(log::EventLog& decisions, clickhouse::Client& store,
                               std::shared_ptr<metrics::Registry> metrics)
    : decisions_(decisions), store_(store) {
  if (!metrics) return;
  landed_ = &prometheus::BuildCounter()
                 .Name("marquee_decisions_landed_total")
                 .Help("Decisions that the store has")
                 .Register(*metrics)
                 .Add({});
}

void DecisionLoader::start() {
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

void DecisionLoader::stop() {
  if (!thread_.joinable()) return;
  thread_.request_stop();
  thread_.join();
}

void DecisionLoader::run(const std::stop_token& stop) {
  std::string last_error;
  while (!stop.stop_requested()) {
    auto wait = kLinger;
    for (log::Partition i = 0; i < decisions_.partitions(); ++i) {
      const auto done = load_some(i);
      const std::string error = done ? "" : done.error().message;
      if (error != last_error && !error.empty())
        logging::warn("serving.decisions_wait", {{"partition", i}, {"error", error}});
      last_error = error;
      if (!done) wait = kPatience;
    }
    std::unique_lock lock(mutex_);
    stopped_.wait_for(lock, stop, wait, [] { return false; });
  }
}

Result<bool> DecisionLoader::load_some(log::Partition partition) {
  const auto progress = decisions_.progress(partition);
  if (!progress) return progress.error();
  const auto records = decisions_.read(partition, progress->next, kRecords, kBytes);
  if (!records) return records.error();
  if (records->records.empty()) return false;
  std::size_t decisions = 0;
  std::map<std::string_view, std::string> rows_by_insert;
  for (const auto record : records->records) {
    const auto landing = landing_of(record);
    if (!landing) return landing.error();
    rows_by_insert[landing->insert] += landing->rows;
    decisions += landing->is_decision ? 1 : 0;
  }
  for (const auto& [insert, rows] : rows_by_insert)
    if (auto inserted = store_.insert(insert, "RowBinary", rows); !inserted) return inserted.error().error;
  if (auto confirmed = decisions_.confirm(partition, records->first + records->records.size()); !confirmed)
    return confirmed.error();
  if (landed_ != nullptr) landed_->Increment(static_cast<double>(decisions));
  return true;
}

}  // namespace marquee::serving
