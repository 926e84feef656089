#include "live_campaigns.h"

#include <algorithm>
#include <utility>

#include "answers.h"
#include "marquee/base/logging.h"

namespace marquee::api {
namespace {

using analytics::LiveCount;
using analytics::LiveUnit;
using std::chrono::milliseconds;

/// Looks are no denser, so that they do not hold up what lands, and no rarer, so that a lost client is noticed.
constexpr auto kBetween = milliseconds(1'000);
constexpr log::Offset kLookBack = 500'000;  ///< Records of a partition that are looked at for the first minute.
/// A rollup may show an insert a moment later than the events do.
constexpr auto kTouchedFor = milliseconds(2'000);

std::string_view name_of(LiveUnit unit) {
  return unit == LiveUnit::second ? "second" : unit == LiveUnit::minute ? "minute" : "day";
}

std::int64_t begin_of(LiveUnit unit, std::int64_t time_s) {
  const std::int64_t length = analytics::length_of(unit);
  return time_s - time_s % length;
}

/// Of the oldest that is told.
std::int64_t window_begin(LiveUnit unit, std::int64_t now_s) {
  return begin_of(unit, now_s) - (analytics::window_of(unit) - 1) * analytics::length_of(unit);
}

std::int64_t system_now_ms() {
  return std::chrono::duration_cast<milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

template <class Cells>
std::string message(std::string_view event, LiveUnit unit, std::int64_t now_s, const Cells& cells) {
  Json campaigns = Json::object();
  for (const auto& [key, count] : cells) {
    campaigns[key.first].push_back({{"time", time_text(key.second * 1'000)},
                                    {"impressions", count.impressions},
                                    {"viewable_impressions", count.viewable_impressions},
                                    {"clicks", count.clicks},
                                    {"conversions", count.conversions}});
  }
  const Json body = {{"time", time_text(system_now_ms())},
                     {"unit", name_of(unit)},
                     {"from", time_text(window_begin(unit, now_s) * 1'000)},
                     {"campaigns", std::move(campaigns)}};
  return stream_event(event, json_text(body));
}

}  // namespace

LiveCampaigns::LiveCampaigns(clickhouse::Client& store, log::EventLog& log)
    : store_(store), log_(log), next_(log.partitions()), thread_([this] { run(); }) {}

LiveCampaigns::~LiveCampaigns() { stop(); }

void LiveCampaigns::listen(const std::string& site, LiveUnit unit, std::shared_ptr<http::Stream> stream) {
  stream->write(": live\n\n");
  const std::lock_guard lock(mutex_);
  if (is_stopping_) return stream->close();
  listeners_.push_back({{site, unit}, std::move(stream)});
  has_newcomer_ = true;
  changed_.notify_all();
}

void LiveCampaigns::stop() {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
    changed_.notify_all();
  }
  if (thread_.joinable()) thread_.join();
  std::vector<Listener> gone;
  const std::lock_guard lock(mutex_);
  gone.swap(listeners_);
  for (const auto& listener : gone) listener.stream->close();
}

void LiveCampaigns::run() {
  while (wait()) {
    try {
      look();
    } catch (const std::exception& e) {
      logging::error("live_campaigns.failed", {{"error", std::string_view(e.what())}});
    }
  }
}

bool LiveCampaigns::wait() {
  std::unique_lock lock(mutex_);
  if (listeners_.empty()) {
    is_idle_ = true;
    changed_.wait(lock, [&] { return is_stopping_ || !listeners_.empty(); });
  }
  if (is_stopping_) return false;
  if (std::exchange(is_idle_, false)) {
    has_newcomer_ = false;
    lock.unlock();
    begin();
    return true;
  }
  changed_.wait_until(lock, last_look_ + kBetween, [&] { return is_stopping_ || has_newcomer_; });
  has_newcomer_ = false;
  return !is_stopping_;
}

void LiveCampaigns::begin() {
  windows_.clear();
  for (log::Partition p = 0; p < next_.size(); ++p) {
    const auto progress = log_.progress(p);
    if (progress) next_[p] = progress->next - std::min(progress->next, kLookBack);
  }
}

void LiveCampaigns::look() {
  last_look_ = Clock::now();
  const std::int64_t now_s = system_now_ms() / 1'000;
  const auto wanted = names();
  std::erase_if(windows_,
                [&](const auto& one) { return one.first.second != LiveUnit::second && !wanted.contains(one.first); });
  for (const Name& name : wanted) windows_[name];
  count_what_landed(now_s);
  for (auto& [name, window] : windows_) refresh(name, window, now_s);
  tell(now_s);
}

std::set<LiveCampaigns::Name> LiveCampaigns::names() {
  const std::lock_guard lock(mutex_);
  std::set<Name> names;
  for (const auto& listener : listeners_) names.insert(listener.name);
  return names;
}

void LiveCampaigns::count_what_landed(std::int64_t now_s) {
  const std::int64_t since = window_begin(LiveUnit::day, now_s);
  const std::int64_t first_second = window_begin(LiveUnit::second, now_s);
  for (log::Partition p = 0; p < next_.size(); ++p) {
    const auto landed = analytics::landed_by_second(store_, p, next_[p], since);
    if (!landed) continue;  // The store is away: the next look finds the same events.
    next_[p] = landed->next;
    for (const auto& row : landed->rows) {
      if (row.time_s >= first_second) {
        // Of every site, so that whoever listens next finds the seconds before.
        Window& seconds = windows_[{row.site, LiveUnit::second}];
        LiveCount& count = seconds.cells[{row.campaign, row.time_s}];
        count.impressions += row.count.impressions;
        count.viewable_impressions += row.count.viewable_impressions;
        count.clicks += row.count.clicks;
        count.conversions += row.count.conversions;
        seconds.changed[{row.campaign, row.time_s}] = count;
      }
      for (const LiveUnit unit : {LiveUnit::minute, LiveUnit::day}) {
        const auto found = windows_.find({row.site, unit});
        if (found != windows_.end()) found->second.touched[begin_of(unit, row.time_s)] = last_look_;
      }
    }
  }
}

/// Forgets what is older than the window and reads what may have changed.
void LiveCampaigns::refresh(const Name& name, Window& window, std::int64_t now_s) {
  const auto& [site, unit] = name;
  const std::int64_t first = window_begin(unit, now_s);
  const auto is_old = [&](const auto& cell) { return cell.first.second < first; };
  std::erase_if(window.cells, is_old);
  std::erase_if(window.changed, is_old);
  if (unit == LiveUnit::second) return;
  std::set<std::int64_t> times;
  std::erase_if(window.touched, [&](const auto& one) { return one.first < first; });
  for (const auto& [time, since] : window.touched) times.insert(time);
  if (!window.is_whole) {
    for (std::int64_t at = first; at <= now_s; at += analytics::length_of(unit)) times.insert(at);
  }
  const auto rows = analytics::live_rows(store_, site, unit, times);
  if (!rows) return;
  window.is_whole = true;
  std::erase_if(window.touched, [&](const auto& one) { return last_look_ - one.second > kTouchedFor; });
  for (const auto& row : *rows) {
    LiveCount& known = window.cells[{row.campaign, row.time_s}];
    if (known == row.count) continue;
    known = row.count;
    window.changed[{row.campaign, row.time_s}] = row.count;
  }
}

void LiveCampaigns::tell(std::int64_t now_s) {
  {
    const std::lock_guard lock(mutex_);
    std::erase_if(listeners_, [&](Listener& listener) {
      const auto found = windows_.find(listener.name);
      if (found == windows_.end()) return false;  // Came after this look began.
      const Window& window = found->second;
      const LiveUnit unit = listener.name.second;
      std::string text;
      if (!listener.knows_window && (unit == LiveUnit::second || window.is_whole)) {
        text = message("window", unit, now_s, window.cells);
        listener.knows_window = true;
      } else if (listener.knows_window && !window.changed.empty()) {
        text = message("changes", unit, now_s, window.changed);
      } else {
        text = ": \n\n";
      }
      // A client that reads too slowly to keep up is let go rather than waited for.
      return !listener.stream->is_open() || !listener.stream->write(std::move(text));
    });
  }
  for (auto& [name, window] : windows_) window.changed.clear();
}

}  // namespace marquee::api
