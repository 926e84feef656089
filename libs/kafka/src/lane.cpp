#include "lane.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "marquee/base/logging.h"

namespace marquee::kafka {
namespace {

using std::chrono::milliseconds;

constexpr Millis kIdlePoll{200};
constexpr std::size_t kWrittenAtOnce = 1'024;
constexpr unsigned kLogEvery = 20;

/// Doubling from 50 ms to 1.6 s.
milliseconds backoff(unsigned failures) { return milliseconds(50U << std::min(failures, 5U)); }

}  // namespace

Lane::Lane(const RelayOptions& options, log::Partition partition, Membership& membership, const Observer& observer,
           rd_kafka_topic_t* source)
    : options_(options),
      partition_(partition),
      membership_(membership),
      observer_(observer),
      source_(source),
      work_(options.make_work(partition)) {
  standing_.partition = partition;
  thread_ = std::thread([this] { run(); });
}

Lane::~Lane() {
  close();
  thread_.join();
}

void Lane::close() {
  const std::lock_guard lock(mutex_);
  is_closed_ = true;
  changed_.notify_all();
}

bool Lane::is_open() const {
  const std::lock_guard lock(mutex_);
  return !is_closed_;
}

RelayPartition Lane::standing() const {
  const std::lock_guard lock(mutex_);
  return standing_;
}

void Lane::pause(unsigned failures) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, backoff(failures), [this] { return is_closed_; });
}

void Lane::note(const std::string& error) {
  const std::lock_guard lock(mutex_);
  standing_.last_error = error;
}

void Lane::set_next(log::Offset next) {
  const std::lock_guard lock(mutex_);
  standing_.next = next;
}

void Lane::run() {
  for (unsigned failures = 0; is_open(); ++failures) {
    const log::Offset before = done_;
    const auto carried = carry();
    transactions_.reset();
    stop_reading();
    if (carried || !is_open()) continue;
    if (done_ != before) failures = 0;
    note(carried.error().message);
    if (failures % kLogEvery == 0)
      logging::warn("relay.failed",
                    {{"topic", options_.topic}, {"partition", partition_}, {"error", carried.error().message}});
    pause(failures);
  }
}

Result<void> Lane::carry() {
  const std::string id = fmt::format("{}-{}-{}", options_.group, options_.topic, partition_);
  auto opened = Transactions::open(options_.cluster, id, options_.transaction);
  if (!opened) return opened.error();
  transactions_ = std::move(*opened);
  for (;;) {
    auto owned = transactions_->own(kAnswerWithin);
    if (owned) break;
    if (owned.error().action != Action::retry || !is_open()) return owned;
    note(owned.error().message);
  }
  // Only now: what an earlier owner had under way has ended, so this is the last word.
  const auto start = start_offset();
  if (!start) return start.error();
  done_ = *start;
  set_next(done_);
  if (auto started = restart(done_); !started) return started;
  Gathered gathered;
  while (is_open()) {
    gathered.out.clear();
    gathered.bytes = gathered.messages = 0;
    gathered.next = done_;
    if (auto taken = gather(gathered); !taken) return taken;
    if (gathered.next == done_) continue;
    if (auto written = write(gathered); !written) return written;
    done_ = gathered.next;
    work_->committed(done_);
    set_next(done_);
    note("");
  }
  return {};
}

Result<log::Offset> Lane::start_offset() {
  const auto committed = membership_.committed(partition_);
  if (!committed) return committed.error();
  if (*committed) return **committed;
  const auto range = observer_.range(partition_, kAnswerWithin);
  if (!range) return range.error();
  Gathered nothing;
  nothing.next = options_.from_end ? range->end : range->begin;
  // Kept at once: another owner must not begin at a later end.
  if (auto written = write(nothing); !written) return written.error();
  return nothing.next;
}

void Lane::stop_reading() {
  if (std::exchange(is_reading_, false)) rd_kafka_consume_stop(source_, static_cast<std::int32_t>(partition_));
}

Result<void> Lane::restart(log::Offset at) {
  stop_reading();
  if (rd_kafka_consume_start(source_, static_cast<std::int32_t>(partition_), static_cast<std::int64_t>(at)) != 0)
    return error_of(rd_kafka_last_error(), fmt::format("cannot read partition {} of {}", partition_, options_.topic));
  is_reading_ = true;
  return {};
}

Result<void> Lane::gather(Gathered& gathered) {
  const auto partition = static_cast<std::int32_t>(partition_);
  std::optional<SteadyClock::time_point> began;
  std::array<rd_kafka_message_t*, kWrittenAtOnce> fetched{};
  while (is_open() && gathered.messages < options_.max_messages && gathered.bytes < options_.max_bytes) {
    // A call for many waits until it has them all; so the wait is for one.
    const auto left =
        began ? options_.linger - std::chrono::duration_cast<Millis>(SteadyClock::now() - *began) : kIdlePoll;
    if (left <= Millis(0)) break;
    const Owned<rd_kafka_message_t, rd_kafka_message_destroy> first(
        rd_kafka_consume(source_, partition, to_timeout(left)));
    if (!first) {
      if (began) break;
      continue;
    }
    if (!began) began = SteadyClock::now();
    if (auto taken = take(*first, gathered); !taken) return taken;
    const auto count = rd_kafka_consume_batch(source_, partition, 0, fetched.data(), kWrittenAtOnce);
    auto taken = Result<void>();
    for (ssize_t i = 0; i < count; ++i) {
      const Owned<rd_kafka_message_t, rd_kafka_message_destroy> message(fetched[static_cast<std::size_t>(i)]);
      if (taken) taken = take(*message, gathered);
    }
    if (!taken) return taken;
  }
  return {};
}

Result<void> Lane::take(const rd_kafka_message_t& message, Gathered& gathered) {
  const auto offset = static_cast<log::Offset>(message.offset);
  if (message.err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
    // What lies between the last message and here is none: the marks of its producer's transactions.
    gathered.next = std::max(gathered.next, offset);
    return {};
  }
  if (message.err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET || message.err == RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE) {
    const auto range = observer_.range(partition_, kAnswerWithin);
    if (!range) return range.error();
    if (range->begin <= gathered.next && gathered.next <= range->end)
      return Error::retry("the source's offsets have changed");
    logging::error(
        "relay.messages_gone",
        {{"topic", options_.topic}, {"partition", partition_}, {"next", gathered.next}, {"goes_on_at", range->begin}});
    gathered.next = range->begin;
    return restart(range->begin);
  }
  if (message.err != RD_KAFKA_RESP_ERR_NO_ERROR) {
    // Of the connection, mostly; librdkafka goes on by itself.
    note(fmt::format("reading: {}", rd_kafka_message_errstr(&message)));
    return {};
  }
  if (offset < gathered.next) return {};  // Before where a fetch was to begin.
  for (unsigned failures = 0;; ++failures) {
    const auto made = make(message, gathered);
    if (made) break;
    note(made.error().message);
    if (failures % kLogEvery == 0)
      logging::warn(
          "relay.waits",
          {{"topic", options_.topic}, {"partition", partition_}, {"offset", offset}, {"error", made.error().message}});
    pause(failures);
    if (!is_open()) return made;
  }
  gathered.next = offset + 1;
  ++gathered.messages;
  return {};
}

Result<void> Lane::make(const rd_kafka_message_t& message, Gathered& gathered) {
  const std::size_t before = gathered.out.size();
  auto made = work_->make(Incoming(message), gathered.out);
  if (!made) {
    gathered.out.resize(before);
    return made;
  }
  for (std::size_t i = before; i < gathered.out.size(); ++i)
    gathered.bytes += gathered.out[i].value.size() + gathered.out[i].key.size() + 64;
  return {};
}

Result<void> Lane::write(const Gathered& gathered) {
  const auto goes_on = [this] { return is_open(); };
  for (unsigned failures = 0;; ++failures) {
    const GroupMetadata group = membership_.group_metadata();
    if (!group) return Error::retry("not in the relay's group");
    auto written = work_->prepare();
    if (written)
      written = transactions_->write(gathered.out, {options_.topic, partition_, gathered.next}, group.get(), goes_on);
    if (written || written.error().action != Action::retry) return written;
    // Ended unseen: the brokers could not, or the group has just changed. What was made is good.
    note(written.error().message);
    if (failures % kLogEvery == 0)
      logging::info("relay.again",
                    {{"topic", options_.topic}, {"partition", partition_}, {"error", written.error().message}});
    if (!is_open()) return written;
    pause(failures);
  }
}

}  // namespace marquee::kafka
