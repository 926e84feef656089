#include "versions_told.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <utility>

namespace marquee::serving {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kLatest = 100, kLeft = 50;

void keep(std::deque<Round>& rounds, const Round& round, std::size_t most) {
  rounds.push_front(round);
  if (rounds.size() > most) rounds.pop_back();
}

Json json_of(const learning::Quality& quality) {
  return {{"impressions", quality.examples},
          {"clicks", quality.clicks},
          {"calibration", quality.calibration},
          {"normalized_entropy", quality.normalized_entropy}};
}

/// As decisions name it.
Json version_name(const std::string& policy, std::uint64_t version) {
  return version == 0 ? Json(nullptr) : Json(fmt::format("{}-{}", policy, version));
}

/// As they are recorded.
Json json_of(const std::string& policy, const std::deque<Round>& rounds) {
  Json all = Json::array();
  for (const auto& one : rounds) {
    Json told = {{"policy", version_name(policy, one.version)}};
    told.update(Json::parse(write_round(one)));
    all.push_back(std::move(told));
  }
  return all;
}

}  // namespace

void VersionsTold::add(const Round& round) {
  const std::lock_guard lock(mutex_);
  last_ = round.version;
  if (round.is_published) keep(latest_, round, kLatest);
  if (round.left) keep(left_, round, kLeft);
}

void VersionsTold::compare(const learning::Quality& served, const learning::Quality& previous,
                           std::uint64_t reference) {
  const std::lock_guard lock(mutex_);
  served_ = served;
  previous_ = previous;
  reference_ = reference;
}

void VersionsTold::served_until(LogCut cut) {
  const std::lock_guard lock(mutex_);
  cut_ = std::move(cut);
}

LogCut VersionsTold::served_until() const {
  const std::lock_guard lock(mutex_);
  return cut_;
}

std::uint64_t VersionsTold::last_version() const {
  const std::lock_guard lock(mutex_);
  return last_;
}

std::string VersionsTold::json(std::uint64_t unread) const {
  const std::lock_guard lock(mutex_);
  Json served = json_of(served_), previous = json_of(previous_);
  served["policy"] = version_name(policy_, last_);
  previous["policy"] = version_name(policy_, reference_);
  return Json{{"served", std::move(served)},
              {"previous", std::move(previous)},
              {"unread_records", unread},
              {"versions", json_of(policy_, latest_)},
              {"rolled_back", json_of(policy_, left_)}}
      .dump();
}

}  // namespace marquee::serving
