#include "live_feed.h"

#include <charconv>
#include <map>

#include "answers.h"
#include "marquee/base/logging.h"

namespace marquee::api {
namespace {

using std::chrono::milliseconds;

constexpr auto kLeastBetween = milliseconds(100);  ///< Ticks come no denser than this,
constexpr auto kMostBetween =
    milliseconds(1'000);  ///< and no rarer, so that a chart goes on and a lost client is noticed.

std::uint64_t number(const std::string& text) {
  std::uint64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

}  // namespace

/// What landed of one site.
struct LiveFeed::Tick {
  std::uint64_t events = 0;
  std::map<std::string, std::uint64_t> by_type;
  struct Counts {
    std::uint64_t impressions = 0, clicks = 0;
  };
  std::map<std::string, Counts> by_campaign;

  void add(const std::string& type, const std::string& campaign, std::uint64_t count) {
    events += count;
    by_type[type] += count;
    if (campaign.empty() || (type != "impression" && type != "click")) return;
    (type == "click" ? by_campaign[campaign].clicks : by_campaign[campaign].impressions) += count;
  }

  [[nodiscard]] std::string message(std::int64_t time_ms, std::int64_t span_ms) const {
    Json types = Json::object();
    for (const auto& [type, count] : by_type) types[type] = count;
    Json campaigns = Json::object();
    for (const auto& [id, counts] : by_campaign)
      campaigns[id] = {{"impressions", counts.impressions}, {"clicks", counts.clicks}};
    const Json body = {{"time", time_text(time_ms)},
                       {"span_ms", span_ms},
                       {"events", events},
                       {"by_type", std::move(types)},
                       {"by_campaign", std::move(campaigns)}};
    return stream_event("tick", json_text(body));
  }
};

LiveFeed::LiveFeed(clickhouse::Client& store, log::EventLog& log)
    : store_(store), log_(log), next_(log.partitions()), thread_([this] { run(); }) {}

LiveFeed::~LiveFeed() { stop(); }

void LiveFeed::listen(const std::string& site, std::shared_ptr<http::Stream> stream) {
  stream->write(": live\n\n");
  const std::lock_guard lock(mutex_);
  if (is_stopping_) return stream->close();
  listeners_.push_back({site, std::move(stream)});
  changed_.notify_all();
}

void LiveFeed::landed() {
  const std::lock_guard lock(mutex_);
  if (has_landed_ || listeners_.empty()) return;
  has_landed_ = true;
  changed_.notify_all();
}

void LiveFeed::stop() {
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

void LiveFeed::run() {
  while (wait()) {
    try {
      tell();
    } catch (const std::exception& e) {
      logging::error("live.failed", {{"error", std::string_view(e.what())}});
    }
  }
}

bool LiveFeed::wait() {
  std::unique_lock lock(mutex_);
  if (listeners_.empty()) {
    is_idle_ = true;
    changed_.wait(lock, [&] { return is_stopping_ || !listeners_.empty(); });
  }
  if (is_stopping_) return false;
  if (is_idle_) {
    is_idle_ = false;
    lock.unlock();
    begin_at_now();
    return true;
  }
  changed_.wait_until(lock, last_look_ + kMostBetween, [&] { return is_stopping_ || has_landed_; });
  changed_.wait_until(lock, last_look_ + kLeastBetween, [&] { return is_stopping_; });
  has_landed_ = false;
  return !is_stopping_;
}

void LiveFeed::begin_at_now() {
  last_look_ = Clock::now();
  for (log::Partition p = 0; p < next_.size(); ++p) {
    const auto progress = log_.progress(p);
    if (progress) next_[p] = progress->next;
  }
}

void LiveFeed::tell() {
  std::map<std::string, Tick, std::less<>> ticks;
  for (log::Partition p = 0; p < next_.size(); ++p) {
    const auto landed = store_.table(
        "SELECT site_id, toString(event_type), campaign_id, count(), max(log_offset) FROM marquee.events "
        "WHERE log_partition = {partition:UInt16} AND log_offset >= {next:UInt64} GROUP BY site_id, event_type, "
        "campaign_id",
        {{"partition", std::to_string(p)}, {"next", std::to_string(next_[p])}});
    if (!landed) continue;  // The store is away: the next look finds the same events.
    for (const auto& row : landed->rows) {
      ticks[row[0]].add(row[1], row[2], number(row[3]));
      next_[p] = std::max(next_[p], number(row[4]) + 1);
    }
  }
  const auto now = Clock::now();
  const auto span = std::chrono::duration_cast<milliseconds>(now - last_look_).count();
  last_look_ = now;
  const auto time =
      std::chrono::duration_cast<milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
  const std::lock_guard lock(mutex_);
  std::erase_if(listeners_, [&](const Listener& listener) {
    // A client that reads too slowly to keep up is let go rather than waited for.
    return !listener.stream->is_open() || !listener.stream->write(ticks[listener.site].message(time, span));
  });
}

}  // namespace marquee::api
