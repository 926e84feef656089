#include "marquee/kafka/relay.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <mutex>

#include "lane.h"
#include "marquee/base/logging.h"

namespace marquee::kafka {
namespace {

KafkaLogOptions group_options(const RelayOptions& options) {
  KafkaLogOptions group;
  group.cluster = options.cluster;
  group.topic = options.topic;
  group.group = options.group;
  group.instance = options.instance;
  group.session = options.session;
  group.on_fatal = options.on_fatal;
  return group;
}

std::string_view bytes(const void* begin, std::size_t size) { return {static_cast<const char*>(begin), size}; }

class KafkaRelay final : public Relay, public log::Follower {
 public:
  explicit KafkaRelay(RelayOptions options) : options_(std::move(options)) {}
  ~KafkaRelay() override { stop(); }

  Result<void> open() {
    auto observer = Observer::open(group_options(options_));
    if (!observer) return observer.error();
    observer_ = std::move(*observer);
    auto conf = configuration(options_.cluster, {{"auto.offset.reset", "error"},
                                                 {"enable.auto.commit", "false"},
                                                 {"enable.partition.eof", "true"},
                                                 {"fetch.wait.max.ms", "200"},
                                                 {"fetch.error.backoff.ms", "100"},
                                                 {"queued.min.messages", "20000"},
                                                 {"queued.max.messages.kbytes", "16384"}});
    if (!conf) return conf.error();
    auto source = make_client(RD_KAFKA_CONSUMER, std::move(*conf));
    if (!source) return source.error();
    source_ = std::move(*source);
    topic_ = Topic(rd_kafka_topic_new(source_.get(), options_.topic.c_str(), nullptr));
    return {};
  }

  Result<void> start() override {
    auto membership = Membership::open(group_options(options_), *this);
    if (!membership) return membership.error();
    membership_ = std::move(*membership);
    return membership_->join();
  }

  void stop() override {
    if (!membership_) return;
    {
      const std::lock_guard lock(mutex_);
      for (auto& [partition, lane] : lanes_) lane->close();
    }
    membership_->leave();  // Releases what there is.
    release_all();
    membership_.reset();
  }

  void take(const std::vector<log::Partition>& partitions) override {
    const std::lock_guard lock(mutex_);
    for (const log::Partition partition : partitions)
      lanes_.insert_or_assign(partition,
                              std::make_unique<Lane>(options_, partition, *membership_, *observer_, topic_.get()));
  }

  void release(const std::vector<log::Partition>& partitions, bool /*is_lost*/) override {
    std::vector<std::unique_ptr<Lane>> gone;
    {
      const std::lock_guard lock(mutex_);
      for (const log::Partition partition : partitions) {
        if (auto lane = lanes_.extract(partition); !lane.empty()) gone.push_back(std::move(lane.mapped()));
      }
    }
    for (auto& lane : gone) lane->close();
    gone.clear();  // Waits for each.
  }

  std::vector<RelayPartition> partitions() const override {
    std::vector<RelayPartition> all;
    {
      const std::lock_guard lock(mutex_);
      for (const auto& [partition, lane] : lanes_) all.push_back(lane->standing());
    }
    for (RelayPartition& one : all) one.end = std::max(observer_->recent_range(one.partition).end, one.next);
    return all;
  }

 private:
  void release_all() {
    std::vector<log::Partition> all;
    {
      const std::lock_guard lock(mutex_);
      for (const auto& [partition, lane] : lanes_) all.push_back(partition);
    }
    release(all, false);
  }

  const RelayOptions options_;
  std::unique_ptr<Observer> observer_;
  Handle source_;
  Topic topic_;
  std::unique_ptr<Membership> membership_;
  mutable std::mutex mutex_;
  std::map<log::Partition, std::unique_ptr<Lane>> lanes_;
};

}  // namespace

log::Partition Incoming::partition() const { return static_cast<log::Partition>(message_->partition); }
log::Offset Incoming::offset() const { return static_cast<log::Offset>(message_->offset); }

std::optional<std::int64_t> Incoming::timestamp_ms() const {
  rd_kafka_timestamp_type_t type = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
  const std::int64_t time = rd_kafka_message_timestamp(message_, &type);
  if (type == RD_KAFKA_TIMESTAMP_NOT_AVAILABLE || time < 0) return std::nullopt;
  return time;
}

std::optional<std::string_view> Incoming::key() const {
  if (message_->key == nullptr) return std::nullopt;
  return bytes(message_->key, message_->key_len);
}

std::optional<std::string_view> Incoming::value() const {
  if (message_->payload == nullptr) return std::nullopt;
  return bytes(message_->payload, message_->len);
}

std::optional<std::string_view> Incoming::header(const std::string& name) const {
  rd_kafka_headers_t* headers = nullptr;
  const void* value = nullptr;
  std::size_t size = 0;
  if (rd_kafka_message_headers(message_, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR ||
      rd_kafka_header_get_last(headers, name.c_str(), &value, &size) != RD_KAFKA_RESP_ERR_NO_ERROR || value == nullptr)
    return std::nullopt;
  return bytes(value, size);
}

Result<std::unique_ptr<Relay>> open_relay(RelayOptions options) {
  auto relay = std::make_unique<KafkaRelay>(std::move(options));
  if (auto opened = relay->open(); !opened) return opened.error();
  return relay;
}

Result<std::vector<RelayPartition>> relay_standings(const Cluster& cluster, const std::string& topic,
                                                    const std::string& group, Millis wait) {
  KafkaLogOptions options;
  options.cluster = cluster;
  options.topic = topic;
  options.group = group;
  const auto count = count_partitions(options, wait);
  if (!count) return count.error();
  const auto observer = Observer::open(options);
  if (!observer) return observer.error();
  std::vector<RelayPartition> all;
  for (log::Partition p = 0; p < *count; ++p) {
    const auto progress = (*observer)->progress(p);
    if (!progress) return progress.error();
    const auto range = (*observer)->range(p, wait);
    if (!range) return range.error();
    all.push_back(
        {.partition = p, .next = *progress ? (*progress)->next : range->begin, .end = range->end, .last_error = {}});
  }
  return all;
}

}  // namespace marquee::kafka
