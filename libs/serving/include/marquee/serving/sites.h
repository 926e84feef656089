// The deciders of all sites.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "marquee/base/time.h"
#include "marquee/decision/decider.h"

namespace marquee::serving {

/// A decider for each site that has campaigns or slots, kept as long as this. Thread safe.
class Sites {
 public:
  /// `ranker` and `fellows` must outlive it; `fellows` as of Decider.
  Sites(const decision::Ranker& ranker, Millis reserve_for, const decision::SharedFellows* fellows = nullptr)
      : ranker_(ranker), reserve_for_(reserve_for), fellows_(fellows) {}

  /// Null where the site has nothing to serve. Takes no lock that a change of the sites would hold for long.
  [[nodiscard]] decision::Decider* find(std::string_view site_id) const;
  /// Made where it is not there.
  [[nodiscard]] decision::Decider& at(std::string_view site_id);
  [[nodiscard]] std::vector<std::pair<std::string, decision::Decider*>> all() const;

 private:
  using Deciders = std::map<std::string, std::shared_ptr<decision::Decider>, std::less<>>;
  const decision::Ranker& ranker_;
  const Millis reserve_for_;
  const decision::SharedFellows* const fellows_;
  std::mutex mutex_;  ///< Of who adds one.
  std::atomic<std::shared_ptr<const Deciders>> deciders_ = std::make_shared<const Deciders>();
};

}  // namespace marquee::serving
