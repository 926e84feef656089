// What the logs' records teach: the same records in the same rounds make the same model, bit for bit, whenever and
// however often they are read.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "marquee/base/result.h"
#include "marquee/base/time.h"
#include "marquee/learning/delayed_clicks.h"
#include "marquee/learning/learner.h"
#include "marquee/learning/model_watch.h"
#include "marquee/serving/click_learner.h"
#include "merged_logs.h"
#include "seal.h"

namespace marquee::serving {

/// Remembers by identity, at most so many: the oldest goes.
template <class Value>
class Waiting {
 public:
  explicit Waiting(std::size_t most) : most_(most) {}
  void add(std::uint64_t identity, Value value) {
    if (!by_identity_.try_emplace(identity, std::move(value)).second) return;
    order_.push_back(identity);
    while (order_.size() > most_) {
      by_identity_.erase(order_.front());
      order_.pop_front();
    }
  }
  [[nodiscard]] const Value* find(std::uint64_t identity) const {
    const auto found = by_identity_.find(identity);
    return found == by_identity_.end() ? nullptr : &found->second;
  }
  /// Oldest first.
  [[nodiscard]] const std::deque<std::uint64_t>& order() const { return order_; }
  void clear() {
    by_identity_.clear();
    order_.clear();
  }

 private:
  std::size_t most_;
  std::unordered_map<std::uint64_t, Value> by_identity_;
  std::deque<std::uint64_t> order_;
};

/// Learns, watches what it learned against what it knew before, and goes back to that where it is worse. Knows neither
/// catalog nor clock. Not thread safe.
class ClickTrainer {
 public:
  /// `features` must outlive it.
  ClickTrainer(const TrainingOptions& options, const learning::FeatureSpec& features);

  void take(const MergedLogs::Record& record);

  /// Why a version was left.
  struct RollBack {
    std::uint64_t to = 0;        ///< The version whose state was taken up again.
    std::uint64_t examples = 0;  ///< On which both were compared.
    double worse_by = 0;         ///< Mean log-loss beyond that of the other, in nats an example;
    double sure_of = 0;          ///< what it surely exceeds.
    learning::Quality left, taken;
  };
  /// Where a version is published: `version` is what its number would be. If it is worse than the reference, what
  /// was learned since that is undone.
  [[nodiscard]] std::optional<RollBack> end_round(std::uint64_t version);

  [[nodiscard]] const learning::Learner& learner() const { return *learner_; }
  /// Of the latest impressions.
  [[nodiscard]] learning::Quality latest() const { return latest_.quality(); }
  /// Since the last comparison began, on the same impressions: what serves, and the version that it is compared with
  /// (none at first).
  [[nodiscard]] learning::Quality served() const { return served_.quality(); }
  [[nodiscard]] learning::Quality previous() const { return previous_.quality(); }
  /// 0: none.
  [[nodiscard]] std::uint64_t reference() const { return reference_.version; }

  struct Counts {
    std::uint64_t impressions = 0, passed_over = 0;
    double clicks = 0;
  };
  /// Since it was made.
  [[nodiscard]] const Counts& counts() const { return counts_; }
  [[nodiscard]] std::size_t waiting() const { return clicks_.waiting(); }
  /// When the oldest impression that waits was shown; the latest record's time where none does.
  [[nodiscard]] WallTime waiting_since() const;
  [[nodiscard]] WallTime now() const { return now_; }

  /// All but the impressions that wait and what was decided: recall these, and it goes on as if never interrupted.
  [[nodiscard]] std::string save() const;
  /// Action::give_up where it is damaged; `reject` where it is of other features.
  [[nodiscard]] Result<void> load(std::string_view bytes);
  /// Between these take() learns nothing: it is given again what was there before save(), from the decisions of the
  /// oldest that waited on.
  void begin_recall();
  void end_recall();

 private:
  /// What is known of a decided placement.
  struct Decided {
    std::shared_ptr<const std::vector<learning::Row>> rows;
    learning::AdFeatures ad;
    std::uint8_t position = 0;
  };
  /// A version that is kept to go back to.
  struct Kept {
    std::uint64_t version = 0;  ///< 0: none.
    std::int64_t taken_ms = 0;
    std::string state;
  };

  void take_decision(const std::vector<LoggedChoice>& choices);
  void take_event(const event::Event& event);
  void take_impression(const event::Event& event, std::uint64_t identity, WallTime at);
  void learn(const learning::Impression& impression, double clicks);
  [[nodiscard]] RollBack roll_back();
  void compare_with(Kept kept);
  [[nodiscard]] Result<learning::Learner> learner_of(const Kept& kept) const;

  const TrainingOptions options_;
  const learning::FeatureSpec& spec_;
  const Seal seal_;
  learning::RequestFeatures features_;
  std::optional<learning::Learner> learner_;
  learning::DelayedClicks clicks_;
  learning::DelayedClicks::Delays recalled_delays_{};
  Waiting<Decided> decided_;
  Waiting<WallTime> shown_, recalled_shown_;
  WallTime now_{};
  bool is_recalling_ = false;
  Kept reference_, newer_;
  std::shared_ptr<const learning::Model> reference_model_;  ///< Null where there is none.
  learning::VersionTrial trial_;
  learning::QualityWindow latest_, served_, previous_;
  std::uint64_t compared_ = 0;
  Counts counts_;
};

}  // namespace marquee::serving
