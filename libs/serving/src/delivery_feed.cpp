#include "delivery_feed.h"

#include <algorithm>
#include <cmath>
#include <condition_variable>
#include <mutex>

#include "decision_record.h"
#include "marquee/base/logging.h"
#include "marquee/event/event.h"
#include "marquee/serving/decision_server.h"

namespace marquee::serving {
namespace {

constexpr std::size_t kRecords = 10'000, kBytes = std::size_t{4} << 20;
constexpr Millis kWait{20};      ///< For a record, before other partitions are looked at.
constexpr Millis kPause{1'000};  ///< After an error of the log.
constexpr std::int64_t kWriteEvery = 60'000;
constexpr std::int64_t kLongestWindow = 400LL * 86'400'000;  ///< Of any cap; older impressions are let go.

/// What an event says that it cost, as Account counts money.
decision::Nanos cost_of(const event::Event& event) { return std::llround(event.value * 1e9); }

}  // namespace

DeliveryFeed::DeliveryFeed(const Seal& seal, Sites& sites, log::EventLog& events, log::EventLog& decisions,
                           Recent& spent, std::shared_ptr<const Clock> clock)
    : seal_(seal),
      sites_(sites),
      events_(events),
      decisions_(decisions),
      spent_(spent),
      counted_(kClickLife),
      clock_(std::move(clock)) {}

void DeliveryFeed::start(const std::string& path) {
  path_ = path;
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

Result<void> DeliveryFeed::take_up() {
  // Once: what is counted already must not be again.
  if (next_.empty())
    if (auto done = find_begin(); !done) return done;
  if (auto done = catch_up(); !done) return done;
  return reserve_again();
}

Result<void> DeliveryFeed::find_begin() {
  const auto known = read_counts_file(path_, sites_);
  if (!known) return known.error();
  const auto partitions = events_.partitions();
  counted_to_.assign(partitions, 0);
  if (*known)
    std::ranges::copy_n((*known)->begin(), std::min<std::size_t>(partitions, (*known)->size()), counted_to_.begin());
  std::vector<log::Offset> next;
  // What is counted already is read once more for the tokens that are spent.
  const auto from = clock_->now() - kClickLife;
  for (log::Partition i = 0; i < partitions; ++i) {
    const auto recent = events_.offset_at(i, from);
    if (!recent) return recent.error();
    const auto begin = events_.begin(i);
    if (*known && begin > counted_to_[i])
      logging::warn("serving.counts_have_a_gap", {{"partition", i}, {"from", counted_to_[i]}, {"to", begin}});
    next.push_back(std::max(begin, std::min(*recent, counted_to_[i])));
  }
  next_ = std::move(next);
  return {};
}

Result<void> DeliveryFeed::catch_up() {
  for (log::Partition i = 0; i < next_.size(); ++i)
    for (const auto end = events_.end(i); next_[i] < end;)
      if (auto read = read_some(i); !read) return read.error();
  return {};
}

Result<bool> DeliveryFeed::read_some(log::Partition partition) {
  const auto records = events_.read(partition, next_[partition], kRecords, kBytes);
  if (!records) return records.error();
  auto offset = records->first;
  for (const auto record : records->records) take(record, offset++ < counted_to_[partition]);
  const bool has_moved = offset > next_[partition];
  next_[partition] = std::max(next_[partition], offset);
  return has_moved;
}

void DeliveryFeed::take(std::string_view record, bool is_counted_already) {
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
  if (ad != nullptr && user != 0) decider->caps().count(user, *ad, reserved, event->event_time_ms);
}

Result<void> DeliveryFeed::reserve_again() {
  const auto now = clock_->now();
  for (log::Partition i = 0; i < decisions_.partitions(); ++i) {
    const auto from = decisions_.offset_at(i, now - kImpressionLife);
    if (!from) return from.error();
    const auto end = decisions_.end(i);
    for (auto next = *from; next < end;) {
      const auto records = decisions_.read(i, next, kRecords, kBytes);
      if (!records) return records.error();
      if (records->records.empty()) break;
      next = records->first + records->records.size();
      for (const auto record : records->records)
        if (auto done = reserve_of(record); !done) return done;
    }
  }
  return {};
}

Result<void> DeliveryFeed::reserve_of(std::string_view record) {
  const auto choices = read_record(record);
  if (!choices) return choices.error();
  for (const auto& one : *choices) {
    auto* decider = sites_.find(one.site_id);
    const auto inventory = decider != nullptr ? decider->inventory() : nullptr;
    const auto* ad = inventory ? inventory->find_row(one.ad_id) : nullptr;
    if (ad == nullptr || spent_.has(seal_.impression_of(event_of(one)))) continue;
    static_cast<void>(decider->account(one.campaign_id).reserve(*ad->campaign, one.time_ms));
    if (one.user_key != 0) static_cast<void>(decider->caps().reserve(one.user_key, *ad, one.time_ms));
  }
  return {};
}

void DeliveryFeed::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    const auto done = take_up();
    if (done) {
      is_ready_ = true;
      return follow(stop);
    }
    logging::error("serving.counts_not_read", {{"error", done.error().message}});
    if (done.error().action != Action::retry) return;
    pause(stop);
  }
}

void DeliveryFeed::follow(const std::stop_token& stop) {
  auto written = clock_->now().time_since_epoch().count();
  for (log::Partition turn = 0; !stop.stop_requested(); ++turn) {
    bool has_moved = false;
    for (log::Partition i = 0; i < next_.size(); ++i) {
      const auto read = read_some(i);
      if (read) {
        has_moved = has_moved || *read;
        continue;
      }
      logging::warn("serving.feed_waits", {{"partition", i}, {"error", read.error().message}});
      pause(stop);
    }
    const auto now = clock_->now().time_since_epoch().count();
    if (now - written >= kWriteEvery) {
      write_counts();
      written = now;
    }
    const auto next = turn % static_cast<log::Partition>(next_.size());
    if (!has_moved) static_cast<void>(events_.wait_for(next, next_[next], kWait));
  }
}

void DeliveryFeed::pause(const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any stopped;
  std::unique_lock lock(mutex);
  stopped.wait_for(lock, stop, kPause, [] { return false; });
}

void DeliveryFeed::write_counts() {
  const auto oldest = clock_->now().time_since_epoch().count() - kLongestWindow;
  for (const auto& [id, decider] : sites_.all()) decider->caps().forget(oldest);
  if (auto written = write_counts_file(path_, sites_, next_); !written)
    logging::warn("serving.counts_not_written", {{"error", written.error().message}});
}

void DeliveryFeed::stop() {
  if (!thread_.joinable()) return;
  thread_.request_stop();
  thread_.join();
  if (!is_ready_) return;
  static_cast<void>(catch_up());  // What it does not take in now, the next start does.
  write_counts();
}

}  // namespace marquee::serving
