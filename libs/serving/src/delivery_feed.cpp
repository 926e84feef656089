#include "delivery_feed.h"

#include <algorithm>
#include <cmath>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "decision_record.h"
#include "marquee/base/logging.h"
#include "marquee/event/event.h"
#include "marquee/log/await_records.h"
#include "marquee/log/current_end.h"
#include "marquee/log/erasable.h"

namespace marquee::serving {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr std::size_t kFedRecords = 10'000, kFedBytes = std::size_t{4} << 20;
constexpr Millis kFeedWait{20};      ///< For a record, before other partitions are looked at.
constexpr Millis kFeedPause{1'000};  ///< After an error of the log.
constexpr Millis kSavedWithin{10'000};
constexpr Millis kAskEvery{1'000};            ///< Where the logs end, which others append to.
constexpr std::int64_t kMostBehind = 10'000;  ///< What another's clock may say of what it took just now.
constexpr std::int64_t kWriteEvery = 60'000;
constexpr std::int64_t kLongestWindow = 400LL * 86'400'000;  ///< Of any cap; older impressions are let go.

/// What an event says that it cost, as Account counts money.
decision::Nanos cost_of(const event::Event& event) { return std::llround(event.value * 1e9); }

}  // namespace

DeliveryFeed::DeliveryFeed(const Seal& seal, Sites& sites, const ServingLogs& logs, Recent& spent,
                           std::shared_ptr<const Clock> clock)
    : seal_(seal),
      sites_(sites),
      events_(logs.read_events),
      decisions_(logs.read_decisions),
      are_shared_(logs.are_shared),
      spent_(spent),
      counted_(kClickLife),
      clock_(std::move(clock)) {}

void DeliveryFeed::start(const std::string& path) {
  path_ = path;
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

bool DeliveryFeed::is_ready() const {
  return has_caught_up_ && (!are_shared_ || SteadyClock::now() - fresh_at_.load() < kStale);
}

Result<void> DeliveryFeed::save() {
  const auto number = ++saves_asked_;
  const auto deadline = SteadyClock::now() + kSavedWithin;
  while (saves_done_ < number) {
    if (SteadyClock::now() > deadline) return Error::retry("the counts of budgets and caps are not written yet");
    std::this_thread::sleep_for(kFeedWait);
  }
  return {};
}

void DeliveryFeed::announce(const decision::DecisionId& id) {
  if (!are_shared_) return;
  const std::lock_guard lock(mutex_);
  own_.insert(decision::text_of(id));
}

bool DeliveryFeed::take_back(const decision::DecisionId& id) {
  const std::lock_guard lock(mutex_);
  return own_.erase(decision::text_of(id)) > 0;
}

Result<void> DeliveryFeed::take_up() {
  // Once: what is counted already must not be again.
  if (next_.empty())
    if (auto done = find_begin(); !done) return done;
  return catch_up();
}

Result<void> DeliveryFeed::find_begin() {
  const auto known = read_counts_file(path_, sites_);
  if (!known) return known.error();
  const auto partitions = events_.partitions();
  counted_to_.assign(partitions, 0);
  if (*known)
    std::ranges::copy_n((*known)->begin(), std::min<std::size_t>(partitions, (*known)->size()), counted_to_.begin());
  next_decisions_.clear();
  std::vector<log::Offset> next;
  // What is counted already is read once more for the tokens that are spent.
  const auto from = clock_->now() - kClickLife;
  for (log::Partition i = 0; i < partitions; ++i) {
    const auto recent = events_.offset_at(i, from);
    if (!recent) return recent.error();
    const auto begin = events_.begin(i);
    if (begin > counted_to_[i])
      logging::warn("serving.counts_have_a_gap", {{"partition", i}, {"from", counted_to_[i]}, {"to", begin}});
    next.push_back(std::max(begin, std::min(*recent, counted_to_[i])));
  }
  for (log::Partition i = 0; i < decisions_.partitions(); ++i) {
    const auto recent = decisions_.offset_at(i, clock_->now() - kImpressionLife);
    if (!recent) return recent.error();
    next_decisions_.push_back(*recent);
  }
  next_ = std::move(next);
  return {};
}

Result<void> DeliveryFeed::catch_up() {
  const auto asked = SteadyClock::now();
  for (log::Partition i = 0; i < next_.size(); ++i) {
    const auto end = log::current_end(events_, i);
    if (!end) return end.error();
    while (next_[i] < *end) {
      const auto records = log::await_records(events_, i, next_[i], kFedRecords, kFedBytes);
      if (!records) return records.error();
      // Of the first start all decisions come later, and those that are counted already are passed over.
      if (has_caught_up_ && are_shared_)
        if (auto done = catch_up_decisions(); !done) return done;
      take_events(i, *records);
    }
  }
  if (!has_caught_up_ || are_shared_)
    if (auto done = catch_up_decisions(); !done) return done;
  fresh_at_ = asked;
  return {};
}

Result<void> DeliveryFeed::catch_up_decisions() {
  for (log::Partition i = 0; i < next_decisions_.size(); ++i) {
    const auto end = log::current_end(decisions_, i);
    if (!end) return end.error();
    auto& next = next_decisions_[i];
    while (next < *end) {
      const auto records = log::await_records(decisions_, i, next, kFedRecords, kFedBytes);
      if (!records) return records.error();
      for (const auto record : records->records) take_decision(record);
      next = records->first + records->records.size();
    }
  }
  return {};
}

Result<bool> DeliveryFeed::read_more() {
  std::vector<log::Records> read;
  bool has_some = false;
  for (log::Partition i = 0; i < next_.size(); ++i) {
    auto records = events_.read(i, next_[i], kFedRecords, kFedBytes);
    if (!records) return records.error();
    has_some = has_some || !records->records.empty();
    read.push_back(std::move(*records));
  }
  // Asked for after the events were read: so the decision of each of their impressions is among them.
  if (are_shared_ && has_some)
    if (auto done = catch_up_decisions(); !done) return done.error();
  for (log::Partition i = 0; i < next_.size(); ++i) take_events(i, read[i]);
  for (log::Partition i = 0; are_shared_ && i < next_decisions_.size(); ++i) {
    const auto records = decisions_.read(i, next_decisions_[i], kFedRecords, kFedBytes);
    if (!records) return records.error();
    for (const auto record : records->records) take_decision(record);
    next_decisions_[i] = std::max(next_decisions_[i], records->first + records->records.size());
    has_some = has_some || !records->records.empty();
  }
  return has_some;
}

void DeliveryFeed::take_events(log::Partition partition, const log::Records& records) {
  auto offset = records.first;
  for (const auto record : records.records) take_event(record, offset++ < counted_to_[partition]);
  next_[partition] = std::max(next_[partition], offset);
}

void DeliveryFeed::take_event(std::string_view record, bool is_counted_already) {
  const auto event = event::decode(record);
  if (!event) return;  // A dead letter, of which the loader tells.
  const auto identity = seal_.verify(*event);
  if (!identity) return;
  spent_.add(*identity, event->received_time_ms);
  if (!counted_.add(*identity, event->received_time_ms) || is_counted_already) return;
  auto* decider = sites_.find(event->site_id);
  if (decider == nullptr) return;
  const auto inventory = decider->inventory();
  const auto* ad = inventory ? inventory->find_row(event->ad_id) : nullptr;
  const auto* zone = ad != nullptr ? ad->campaign->zone : nullptr;
  auto& account = decider->account(event->campaign_id);
  if (event->type == event::Type::click) return account.count_click(zone, event->event_time_ms, cost_of(*event));
  const auto reserved = event->event_time_ms - read_after_ms(event->props);
  account.count_impression(zone, reserved, event->event_time_ms, cost_of(*event));
  const auto user = event->user_key != 0 ? event->user_key : event->session_id;
  if (ad != nullptr && user != 0 && !decider->caps().is_erased(user, event->received_time_ms))
    decider->caps().count(user, *ad, reserved, event->event_time_ms);
}

void DeliveryFeed::take_decision(std::string_view record) {
  if (log::is_erased(record)) return;
  const auto choices = read_record(record);
  if (!choices) return logging::warn("serving.decision_not_read", {{"error", choices.error().message}});
  if (choices->empty()) return;
  bool is_own = false;
  {
    const std::lock_guard lock(mutex_);
    is_own = own_.erase(std::string(choices->front().decision_id)) > 0;
  }
  const auto now = this->now();
  for (const auto& one : *choices) {
    auto* decider = sites_.find(one.site_id);
    if (decider == nullptr) continue;
    auto& account = decider->account(one.campaign_id);
    if (is_own) {
      account.see_own();
      continue;
    }
    if (counted_.has(seal_.impression_of(event_of(one)))) continue;
    // Another's clock may be another; what is told just now was taken just now.
    const auto time = has_caught_up_ ? std::clamp(one.time_ms, now - kMostBehind, now) : std::min(one.time_ms, now);
    account.take_other(time, now);
    const auto inventory = decider->inventory();
    const auto* ad = inventory ? inventory->find_row(one.ad_id) : nullptr;
    if (ad != nullptr && one.user_key != 0 && !decider->caps().is_erased(one.user_key, time))
      decider->caps().take_other(one.user_key, *ad, time);
  }
}

void DeliveryFeed::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    const auto done = take_up();
    if (done) {
      has_caught_up_ = true;
      return follow(stop);
    }
    logging::error("serving.counts_not_read", {{"error", done.error().message}});
    if (done.error().action != Action::retry) return;
    pause(stop);
  }
}

void DeliveryFeed::follow(const std::stop_token& stop) {
  auto written = now();
  for (log::Partition turn = 0; !stop.stop_requested(); ++turn) {
    const bool is_to_ask = are_shared_ && SteadyClock::now() - fresh_at_.load() >= kAskEvery;
    const auto asked = is_to_ask ? catch_up() : Result<void>();
    const auto has_some = asked ? read_more() : asked.error();
    if (!has_some) {
      logging::warn("serving.feed_waits", {{"error", has_some.error().message}});
      pause(stop);
      continue;
    }
    const auto asked_for = saves_asked_.load();
    if (const auto time = now(); time - written >= kWriteEvery || time < written || saves_done_ < asked_for) {
      if (write_counts()) saves_done_ = asked_for;
      written = time;
    }
    if (*has_some) continue;
    const auto next = turn % static_cast<log::Partition>(next_.size());
    static_cast<void>(events_.wait_for(next, next_[next], kFeedWait));
  }
}

void DeliveryFeed::pause(const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any stopped;
  std::unique_lock lock(mutex);
  stopped.wait_for(lock, stop, kFeedPause, [] { return false; });
}

bool DeliveryFeed::write_counts() {
  const auto oldest = now() - kLongestWindow;
  for (const auto& [id, decider] : sites_.all()) decider->caps().forget(oldest);
  const auto written = write_counts_file(path_, sites_, next_);
  if (!written) logging::warn("serving.counts_not_written", {{"error", written.error().message}});
  return written.has_value();
}

void DeliveryFeed::stop() {
  if (!thread_.joinable()) return;
  thread_.request_stop();
  thread_.join();
  if (!has_caught_up_) return;
  static_cast<void>(catch_up());  // What it does not take in now, the next start does.
  static_cast<void>(write_counts());
}

}  // namespace marquee::serving
