#include "marquee/feed/feed.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>

#include "decoder.h"
#include "mapper.h"
#include "marquee/base/logging.h"
#include "marquee/kafka/kafka_log.h"
#include "schema_registry.h"

namespace marquee::feed {
namespace {

/// What a broker takes by default, less what the message has beside.
constexpr std::size_t kMaxLetterBytes = 900'000;

}  // namespace

// Fields of Feed::Impl are of these, which so are not in the anonymous namespace.

/// What became of messages.
struct Counts {
  std::uint64_t events = 0, dead_letters = 0, ignored = 0;
  Counts& operator+=(const Counts& other) {
    events += other.events;
    dead_letters += other.dead_letters;
    ignored += other.ignored;
    return *this;
  }
};

/// Counts of a partition, which its work adds to and others read.
struct Tally {
  std::mutex mutex;
  Counts counts;
};

namespace {

prometheus::Counter& counter(metrics::Registry& registry, const std::string& feed, const char* result) {
  return prometheus::BuildCounter()
      .Name("marquee_feed_messages_total")
      .Help("Messages of a feed's topic, by what became of them")
      .Register(registry)
      .Add({{"feed", feed}, {"result", result}});
}

}  // namespace

struct FeedMetrics {
  FeedMetrics(metrics::Registry& registry, const std::string& feed)
      : events(counter(registry, feed, "event")),
        dead_letters(counter(registry, feed, "dead_letter")),
        ignored(counter(registry, feed, "ignored")) {}
  void add(const Counts& counts) {
    events.Increment(static_cast<double>(counts.events));
    dead_letters.Increment(static_cast<double>(counts.dead_letters));
    ignored.Increment(static_cast<double>(counts.ignored));
  }
  prometheus::Counter& events;
  prometheus::Counter& dead_letters;
  prometheus::Counter& ignored;
};

namespace {

class FeedWork final : public kafka::RelayWork {
 public:
  FeedWork(const FeedOptions& options, const Decoder& decoder, std::shared_ptr<Tally> tally, FeedMetrics* metrics)
      : options_(options), translator_(options.description, decoder), tally_(std::move(tally)), metrics_(metrics) {}

  Result<void> make(const kafka::Incoming& message, std::vector<kafka::Outgoing>& out) override {
    if (message.offset() < next_) forget();  // It begins again after its last transaction.
    const auto rules = options_.rules();
    if (!rules)
      return Error::retry(fmt::format("there is no site {}: make it, or mend the feed", options_.description.site));
    const MessageView view{
        message.partition(), message.offset(), message.timestamp_ms(),
        message.key(),       message.value(),  [&message](const std::string& name) { return message.header(name); }};
    const auto translated = translator_.translate(view, *rules, options_.clock->now().time_since_epoch().count());
    if (!translated) return translated.error();
    next_ = message.offset() + 1;
    const Translation& translation = **translated;
    switch (translation.outcome) {
      case Translation::Outcome::event:
        ++pending_.events;
        out.push_back({options_.events_topic,
                       static_cast<log::Partition>(translation.partition_key % options_.partitions),
                       kafka::record_key(translation.partition_key),
                       translation.record,
                       {}});
        break;
      case Translation::Outcome::refused:
        ++pending_.dead_letters;
        letters_.push_back(letter(message, translation.reason));
        out.push_back(outgoing(letters_.back()));
        break;
      case Translation::Outcome::ignored:
        ++pending_.ignored;
    }
    return {};
  }

  Result<void> prepare() override {
    if (letters_.empty() || !options_.on_dead_letters) return {};
    return options_.on_dead_letters(letters_);
  }

  void committed(log::Offset) override {
    if (metrics_ != nullptr) metrics_->add(pending_);
    if (!letters_.empty()) {
      logging::warn("feed.dead_letters", {{"feed", options_.description.name},
                                          {"partition", letters_.front().partition},
                                          {"count", letters_.size()},
                                          {"offset", letters_.front().offset},
                                          {"reason", letters_.front().reason.substr(0, 500)}});
    }
    {
      const std::lock_guard lock(tally_->mutex);
      tally_->counts += pending_;
    }
    forget();
  }

 private:
  void forget() {
    pending_ = {};
    letters_.clear();
  }

  [[nodiscard]] DeadLetter letter(const kafka::Incoming& message, const std::string& reason) const {
    return {options_.description.topic, message.partition(), message.offset(), reason,
            std::string(message.value().value_or("").substr(0, kMaxLetterBytes))};
  }

  [[nodiscard]] kafka::Outgoing outgoing(const DeadLetter& letter) const {
    const std::string partition = std::to_string(letter.partition);
    const std::string offset = std::to_string(letter.offset);
    return {options_.letters_topic,
            0,
            fmt::format("{}/{}/{}", letter.topic, partition, offset),
            letter.bytes,
            {{"reason", letter.reason},
             {"source_topic", letter.topic},
             {"source_partition", partition},
             {"source_offset", offset}}};
  }

  const FeedOptions& options_;
  Translator translator_;
  const std::shared_ptr<Tally> tally_;
  FeedMetrics* const metrics_;
  Counts pending_;  ///< Since the last transaction, as is the next.
  std::vector<DeadLetter> letters_;
  log::Offset next_ = 0;
};

}  // namespace

std::string group_of(const std::string& prefix, const std::string& feed) { return fmt::format("{}.{}", prefix, feed); }

class Feed::Impl {
 public:
  explicit Impl(FeedOptions options) : options_(std::move(options)) {
    if (!options_.clock) options_.clock = std::make_shared<SystemClock>();
    const Description& feed = options_.description;
    std::shared_ptr<SchemaRegistry> registry;
    if (!feed.registry_url.empty())
      registry = std::make_shared<SchemaRegistry>(
          RegistryOptions{feed.registry_url, feed.registry_user, feed.registry_password});
    decoder_ = make_decoder(feed.format, std::move(registry));
    if (options_.metrics) metrics_ = std::make_unique<FeedMetrics>(*options_.metrics, feed.name);
  }

  Result<void> open() {
    kafka::RelayOptions relay;
    relay.cluster = options_.cluster;
    relay.topic = options_.description.topic;
    relay.group = group_of(options_.group, options_.description.name);
    relay.instance = options_.instance;
    relay.session = options_.session;
    relay.transaction = options_.transaction;
    relay.from_end = options_.description.from_end;
    relay.on_fatal = options_.on_fatal;
    relay.make_work = [this](log::Partition partition) {
      auto tally = std::make_shared<Tally>();
      {
        const std::lock_guard lock(mutex_);
        tallies_[partition] = tally;
      }
      return std::make_unique<FeedWork>(options_, *decoder_, std::move(tally), metrics_.get());
    };
    auto opened = kafka::open_relay(std::move(relay));
    if (!opened) return opened.error();
    relay_ = std::move(*opened);
    return {};
  }

  Result<void> start() { return relay_->start(); }
  void stop() { relay_->stop(); }

  FeedStatus status() const {
    FeedStatus status{options_.description.name, options_.description.topic, {}};
    for (auto& relayed : relay_->partitions()) {
      FeedStatus::Partition one;
      one.partition = relayed.partition;
      one.time_ms = options_.clock->now().time_since_epoch().count();
      one.next = relayed.next;
      one.end = relayed.end;
      one.last_error = std::move(relayed.last_error);
      std::shared_ptr<Tally> tally;
      {
        const std::lock_guard lock(mutex_);
        if (const auto found = tallies_.find(relayed.partition); found != tallies_.end()) tally = found->second;
      }
      if (tally) {
        const std::lock_guard lock(tally->mutex);
        one.events = tally->counts.events;
        one.dead_letters = tally->counts.dead_letters;
        one.ignored = tally->counts.ignored;
      }
      status.partitions.push_back(std::move(one));
    }
    return status;
  }

 private:
  FeedOptions options_;
  std::unique_ptr<Decoder> decoder_;
  std::unique_ptr<FeedMetrics> metrics_;
  mutable std::mutex mutex_;
  std::map<log::Partition, std::shared_ptr<Tally>> tallies_;  ///< Guarded by mutex_.
  std::unique_ptr<kafka::Relay> relay_;                       ///< Uses all the others.
};

Feed::Feed(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Feed::~Feed() { stop(); }

Result<std::unique_ptr<Feed>> Feed::open(FeedOptions options) {
  auto impl = std::make_unique<Impl>(std::move(options));
  if (auto opened = impl->open(); !opened) return opened.error();
  return std::unique_ptr<Feed>(new Feed(std::move(impl)));
}

Result<void> Feed::start() { return impl_->start(); }
void Feed::stop() { impl_->stop(); }
FeedStatus Feed::status() const { return impl_->status(); }

}  // namespace marquee::feed
