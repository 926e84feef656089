#include "journey_keeper.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <condition_variable>
#include <mutex>
#include <set>

#include "marquee/base/logging.h"

namespace marquee::api {
namespace {

constexpr auto kStopJourneysEvery = std::chrono::milliseconds(50);

/// The partition of the day that is not over.
std::string partition_of_today() {
  return fmt::format("{:%Y%m%d}", std::chrono::floor<std::chrono::days>(std::chrono::system_clock::now()));
}

}  // namespace

JourneyKeeper::JourneyKeeper(JourneyKeeperOptions options, clickhouse::Client& store)
    : options_(std::move(options)), writer_(store), thread_([this](const std::stop_token& stop) {
        run(stop);
        ended_.release();
      }) {}

void JourneyKeeper::stop() {
  if (!thread_.joinable()) return;
  thread_.request_stop();
  // Again until it has ended: a query may have been about to begin.
  while (!ended_.try_acquire_for(kStopJourneysEvery)) {
    if (const auto build = being_made_.load(); build != 0) writer_.interrupt(build);
  }
  thread_.join();
}

void JourneyKeeper::run(const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any stopped;
  std::unique_lock lock(mutex);
  while (!stopped.wait_for(lock, stop, options_.refresh_every, [&] { return stop.stop_requested(); })) {
    if (!options_.is_store_ready()) continue;
    if (options_.is_enabled) {
      if (auto looked = look(stop); !looked && !stop.stop_requested())
        logging::warn("journeys.not_made", {{"error", looked.error().message}});
    }
    if (stop.stop_requested()) return;
    if (auto removed = remove_outdated(); !removed)
      logging::warn("journeys.not_removed", {{"error", removed.error().message}});
  }
}

Result<void> JourneyKeeper::look(const std::stop_token& stop) {
  const auto days = writer_.days();
  if (!days) return days.error();
  std::map<std::string, std::string> seen;
  Result<void> result;
  for (const auto& day : *days) {
    if (stop.stop_requested()) return {};
    // A day of tomorrow is an event's whose clock was wrong.
    if (day.day >= partition_of_today() || day.build != 0) continue;
    seen[day.day] = day.state;
    const auto is_same = [&](const auto& states) {
      const auto found = states.find(day.day);
      return found != states.end() && found->second == day.state;
    };
    if (!is_same(seen_) || is_same(refused_)) continue;
    if (auto made = make(day); !made) result = made;
  }
  seen_ = std::move(seen);
  return result;
}

Result<void> JourneyKeeper::make(const analytics::JourneyDay& day) {
  const auto builds = writer_.builds();
  if (!builds) return builds.error();
  being_made_ = builds->next_build;
  const auto made = writer_.write(day.day, builds->next_build);
  being_made_ = 0;
  if (made) {
    if (*made) logging::info("journeys.made", {{"day", day.day}, {"events", day.events}});
    return {};
  }
  if (made.error().action == Action::reject) refused_[day.day] = day.state;
  return Error{made.error().action, fmt::format("of {}: {}", day.day, made.error().message)};
}

Result<void> JourneyKeeper::remove_outdated() {
  const auto now = std::chrono::steady_clock::now();
  const auto builds = writer_.builds();
  if (!builds) return builds.error();
  // Read behind: a build that began to hold since is among those that do.
  const auto days = writer_.days();
  if (!days) return days.error();
  std::set<Place> written(builds->written.begin(), builds->written.end());
  for (const auto& day : *days) written.erase({day.day, day.build});
  std::erase_if(outdated_, [&](const auto& one) { return !written.contains(one.first); });
  for (const auto& place : written) {
    const auto since = outdated_.try_emplace(place, now).first->second;
    if (now - since < options_.outdated_for) continue;
    if (auto removed = writer_.remove(place.first, place.second); !removed) return removed;
    outdated_.erase(place);
  }
  return {};
}

}  // namespace marquee::api
