#include "marquee/kafka/kafka_log.h"

#include <fmt/format.h>

#include <thread>

#include "marquee/base/logging.h"
#include "marquee/log/current_end.h"
#include "membership.h"
#include "observer.h"
#include "producer.h"
#include "source.h"
#include "survey.h"

namespace marquee::kafka {
namespace {

using log::Offset;
using log::Partition;

class KafkaLog final : public log::EventLog, public log::FarLog {
 public:
  KafkaLog(KafkaLogOptions options, Partition partitions, std::unique_ptr<Observer> observer)
      : options_(std::move(options)),
        partitions_(partitions),
        observer_(std::move(observer)),
        producer_metrics_(options_.metrics, options_.max_pending_bytes) {}
  ~KafkaLog() override {
    close();
    unfollow();
    if (retired_.joinable()) retired_.join();
  }

  Partition partitions() const override { return partitions_; }

  void append(std::vector<log::Batch> batches, log::Appended done) override {
    auto producer = this->producer();
    if (!producer) return done(producer.error());
    (*producer)->append(std::move(batches), std::move(done));
  }

  void follow(log::Follower& follower) override {
    const auto followed = try_follow(follower);
    if (followed) return;
    logging::error("kafka.cannot_follow", {{"error", followed.error().message}});
    if (options_.on_fatal) options_.on_fatal(followed.error().message);
  }

  void unfollow() override {
    // Releasing commits, so the member stays reachable until it has left.
    const auto membership = member();
    if (!membership) return;
    membership->leave();
    const std::lock_guard lock(mutex_);
    membership_.reset();
  }

  Result<log::Records> read(Partition partition, Offset from, std::size_t max_records, std::size_t max_bytes) override {
    const auto tip = source(tip_);
    if (!tip) return tip.error();
    if ((*tip)->continues(partition, from)) return (*tip)->read(partition, from, max_records, max_bytes, Millis(0));
    const auto elsewhere = source(elsewhere_);
    if (!elsewhere) return elsewhere.error();
    // Elsewhere there is something to read, or the caller errs.
    auto records = (*elsewhere)->read(partition, from, max_records, max_bytes, kAnswerWithin);
    (*elsewhere)->stop(partition);
    return records;
  }

  bool wait_for(Partition partition, Offset offset, Millis timeout) override {
    if (const auto source = tip(); source && source->continues(partition, offset))
      return source->wait(partition, timeout);
    // Far ahead of what was read: the caller waits for the clock, or for much more than a little.
    std::this_thread::sleep_for(timeout);
    return end(partition) > offset;
  }

  Offset begin(Partition partition) const override { return range(partition).begin; }
  Offset end(Partition partition) const override { return range(partition).end; }

  Result<Offset> current_end(Partition partition) override {
    const auto range = observer_->range(partition, kAnswerWithin);
    if (!range) return range.error();
    return range->end;
  }

  Result<Offset> offset_at(Partition partition, WallTime time) override {
    return observer_->offset_at(partition, time);
  }

  Result<log::Progress> progress(Partition partition) override {
    auto progress = observer_->progress(partition);
    if (!progress) return progress.error();
    if (*progress) return **progress;
    const auto range = observer_->range(partition, kAnswerWithin);
    if (!range) return range.error();
    return log::Progress{range->begin, std::nullopt, 0};
  }

  Result<void> plan(const std::vector<log::Plan>& plans, std::uint64_t planner) override {
    std::vector<std::pair<Partition, log::Progress>> all;
    for (const auto& [partition, range] : plans) all.push_back({partition, {range.begin, range, planner}});
    return commit(all);
  }

  Result<void> confirm(Partition partition, Offset next) override {
    return commit({{partition, {next, std::nullopt, 0}}});
  }

  Result<void> reach(Millis wait) override { return observer_->reach(wait); }

  Result<std::vector<log::Standing>> standings() override {
    const auto survey = this->survey();
    if (!survey) return survey.error();
    return (*survey)->look();
  }

  void close() override {
    std::shared_ptr<Producer> producer;
    {
      const std::lock_guard lock(mutex_);
      is_closed_ = true;
      producer = producer_;
    }
    if (producer) producer->close();
  }

 private:
  /// Made when it is first needed, as a loader needs none, and again where it broke.
  Result<std::shared_ptr<Producer>> producer() {
    const std::lock_guard lock(mutex_);
    if (is_closed_) return Error::retry("the log is closing");
    if (producer_ && !producer_->is_broken()) return producer_;
    if (producer_) {  // It waits for its last answers, which must not be here.
      retired_ = std::thread([old = std::move(producer_), before = std::move(retired_)]() mutable {
        if (before.joinable()) before.join();
        old->close();
      });
    }
    auto opened = Producer::open(options_, producer_metrics_);
    if (!opened) return opened.error();
    producer_ = std::move(*opened);
    return producer_;
  }

  Result<std::shared_ptr<Survey>> survey() {
    const std::lock_guard lock(mutex_);
    if (survey_) return survey_;
    auto opened = Survey::open(options_, partitions_);
    if (!opened) return opened.error();
    survey_ = std::move(*opened);
    return survey_;
  }

  [[nodiscard]] std::shared_ptr<Membership> member() const {
    const std::lock_guard lock(mutex_);
    return membership_;
  }

  Result<void> commit(const std::vector<std::pair<Partition, log::Progress>>& all) {
    const auto membership = member();
    if (!membership) return Error::reject("not in the loaders' group");
    return membership->commit(all);
  }

  Result<void> try_follow(log::Follower& follower) {
    if (auto opened = source(tip_); !opened) return opened.error();
    auto membership = Membership::open(options_, follower);
    if (!membership) return membership.error();
    const std::lock_guard lock(mutex_);
    membership_ = std::move(*membership);
    return membership_->join();
  }

  /// Each is made when it is first needed, as a collector needs none; then kept.
  Result<std::shared_ptr<Source>> source(std::shared_ptr<Source>& kept) {
    const std::lock_guard lock(mutex_);
    if (kept) return kept;
    auto opened = Source::open(options_, partitions_);
    if (!opened) return opened.error();
    kept = std::move(*opened);
    return kept;
  }

  [[nodiscard]] std::shared_ptr<Source> tip() const {
    const std::lock_guard lock(mutex_);
    return tip_;
  }

  /// What is being read tells where it ends by itself; of the rest the brokers are asked now and then.
  log::Range range(Partition partition) const {
    const auto source = tip();
    const auto asked = observer_->recent_range(partition);
    const auto fetched = source ? source->known_range(partition).value_or(log::Range{}) : log::Range{};
    return {std::max(fetched.begin, asked.begin), std::max(fetched.end, asked.end)};
  }

  const KafkaLogOptions options_;
  const Partition partitions_;
  const std::unique_ptr<Observer> observer_;
  ProducerMetrics producer_metrics_;
  mutable std::mutex mutex_;
  std::shared_ptr<Source> tip_;        ///< What the loader reads in order, and
  std::shared_ptr<Source> elsewhere_;  ///< what recovery looks up.
  std::shared_ptr<Producer> producer_;
  std::thread retired_;
  std::shared_ptr<Survey> survey_;  ///< Made when it is first needed.
  std::shared_ptr<Membership> membership_;
  bool is_closed_ = false;
};

}  // namespace

Result<std::unique_ptr<log::EventLog>> open_kafka_log(KafkaLogOptions options, Millis wait) {
  auto partitions = count_partitions(options, wait);
  if (!partitions && partitions.error().action == Action::retry && options.assumed_partitions > 0) {
    logging::warn("kafka.partitions_assumed",
                  {{"partitions", options.assumed_partitions}, {"reason", partitions.error().message}});
    partitions = options.assumed_partitions;
  }
  if (!partitions) return partitions.error();
  auto observer = Observer::open(options);
  if (!observer) return observer.error();
  return std::make_unique<KafkaLog>(std::move(options), *partitions, std::move(*observer));
}

}  // namespace marquee::kafka
