#include "marquee/serving/click_learner.h"

#include <algorithm>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <unordered_map>
#include <utility>

#include "decision_record.h"
#include "fatigue.h"
#include "learning_metrics.h"
#include "marquee/base/logging.h"
#include "marquee/event/event.h"
#include "marquee/learning/delayed_clicks.h"
#include "marquee/learning/model_watch.h"
#include "marquee/learning/scorer.h"
#include "marquee/serving/decision_server.h"
#include "merged_logs.h"
#include "model_features.h"
#include "seal.h"
#include "whole_file.h"

namespace marquee::serving {
namespace {

constexpr std::string_view kMagic = "MQMODEL1";
constexpr std::size_t kMostDecided = 200'000;  ///< Placements that wait for their impression, some 1 KB each.
constexpr Millis kSaveEvery{60'000};
constexpr Millis kWait{20}, kPause{1'000};
constexpr double kMillis = 1e3;

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

 private:
  const std::size_t most_;
  std::unordered_map<std::uint64_t, Value> by_identity_;
  std::deque<std::uint64_t> order_;
};

/// What is kept between runs.
struct Kept {
  std::int64_t learned_until_ms = 0;  ///< Impressions shown until then are in what was learned,
  std::int64_t resume_from_ms = 0;    ///< and from then on some wait.
  learning::DelayedClicks::Delays delays{};
};
static_assert(std::is_trivially_copyable_v<Kept>);

}  // namespace

class ClickLearner::Impl {
 public:
  Impl(ClickLearnerOptions options, LearnedRanker& ranker, const Sites& sites, log::EventLog& events,
       log::EventLog& decisions)
      : options_(std::move(options)),
        ranker_(ranker),
        sites_(sites),
        seal_(options_.token_key),
        logs_(events, decisions),
        features_(ranker.features()),
        learner_(std::in_place, ranker.features(), options_.learner),
        clicks_({.window = options_.click_window, .horizon = kClickLife},
                [this](const learning::Impression& impression, double clicks) { learn(impression, clicks); }),
        metrics_(options_.metrics) {}

  void start() {
    thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
  }
  void stop() {
    if (!thread_.joinable()) return;
    thread_.request_stop();
    thread_.join();
    if (has_begun_) save();
  }

 private:
  /// What is known of a decided placement.
  struct Decided {
    std::shared_ptr<const std::vector<learning::Row>> rows;
    std::uint8_t position = 0;
  };
  struct Bound {
    std::shared_ptr<const decision::Inventory> inventory;
    std::shared_ptr<const learning::AdTable> ads;
    std::shared_ptr<const SeenAds> seen;
  };

  void run(const std::stop_token& stop) {
    while (!stop.stop_requested() && !begin()) pause(stop, kPause);
    auto saved = std::chrono::steady_clock::now(), published = saved - options_.publish_every;
    while (!stop.stop_requested()) {
      const auto now = std::chrono::steady_clock::now();
      // A catalog that changed is followed at once, or its requests would be ranked by nothing.
      if (bind_inventories() || now - published >= options_.publish_every) {
        publish();
        published = now;
      }
      const auto taken = take_in(stop);
      if (!std::exchange(has_caught_up_, true)) publish();  // What the log had, before anybody is served without it.
      if (!taken) logging::warn("serving.learner_waits", {{"error", taken.error().message}});
      if (now - saved >= kSaveEvery) {
        save();
        saved = now;
      }
      pause(stop, taken ? kWait : kPause);
    }
  }

  bool begin() {
    if (!has_read_) load();
    has_read_ = true;
    const WallTime from{Millis(kept_.resume_from_ms)};
    const auto begun = logs_.begin(from, kept_.resume_from_ms == 0 ? from : from - kImpressionLife);
    if (!begun) logging::warn("serving.learner_waits", {{"error", begun.error().message}});
    has_begun_ = begun.has_value();
    return has_begun_;
  }

  Result<void> take_in(const std::stop_token& stop) {
    if (auto advanced = logs_.advance(); !advanced) return advanced;
    while (!stop.stop_requested()) {
      const auto record = logs_.next();
      if (!record) return record.error();
      if (!*record) break;
      if (const auto* choices = std::get_if<std::vector<LoggedChoice>>(&**record)) take_decision(*choices);
      if (const auto* event = std::get_if<event::Event>(&**record)) take_event(*event);
    }
    return {};
  }

  void take_decision(const std::vector<LoggedChoice>& choices) {
    for (const auto& one : choices) {
      features_.clear();
      const AdTopics ad(one.campaign_id, one.ad_id);
      for (const auto& [name, value] : one.context) describe_known_of(ad, features_, name, value);
      describe_place(features_, one.time_ms, one.slot_id);
      features_.compile();
      const auto rows = features_.rows();
      const auto place = one.position > 0 ? one.position - 1 : one.placement;
      decided_.add(seal_.impression_of(event_of(one)),
                   {std::make_shared<const std::vector<learning::Row>>(rows.begin(), rows.end()),
                    static_cast<std::uint8_t>(place)});
    }
  }

  void take_event(const event::Event& event) {
    const auto identity = seal_.verify(event);
    if (!identity) return;
    const WallTime at{Millis(event.event_time_ms)};
    if (event.type == event::Type::impression) {
      take_impression(event, *identity, at);
    } else {
      const auto shown = seal_.impression_of(event);
      // Of an impression that an earlier run has learned nothing more is made.
      if (const auto* time = shown_.find(shown)) static_cast<void>(clicks_.click(shown, *time, at));
    }
    clicks_.advance(at);
    metrics_.waiting(clicks_.waiting());
  }

  void take_impression(const event::Event& event, std::uint64_t identity, WallTime at) {
    if (event.event_time_ms <= kept_.learned_until_ms) return;
    const auto* decided = decided_.find(identity);
    const auto* ad = ad_of(event);
    if (decided == nullptr || ad == nullptr) return metrics_.passed_over();
    shown_.add(identity, at);
    clicks_.show(identity, at,
                 {.rows = decided->rows,
                  .ad = *ad,
                  .position = decided->position,
                  .time_s = static_cast<double>(event.event_time_ms) / kMillis});
  }

  /// Null where the site's inventory does not have it any more.
  const learning::AdFeatures* ad_of(const event::Event& event) {
    const auto bound = bound_.find(event.site_id);
    if (bound == bound_.end()) return nullptr;
    const auto* row = bound->second.inventory->find_row(event.ad_id);
    return row == nullptr ? nullptr : &bound->second.ads->ad(row->row);
  }

  void learn(const learning::Impression& impression, double clicks) {
    const auto predicted = learner_->learn(impression, clicks);
    learned_until_ms_ = static_cast<std::int64_t>(impression.time_s * kMillis + 0.5);
    quality_.add(predicted.click, clicks);
    metrics_.learned(clicks);
  }

  /// True where a site has another inventory than before.
  bool bind_inventories() {
    bool has_changed = false;
    for (const auto& [id, decider] : sites_.all()) {
      auto inventory = decider->inventory();
      auto& bound = bound_[id];
      if (!inventory || bound.inventory == inventory) continue;
      std::vector<learning::Ad> ads;
      for (const auto& row : inventory->ads()) ads.push_back(model_ad(id, row));
      auto seen = std::make_shared<const SeenAds>(*inventory);
      bound = {std::move(inventory), std::make_shared<const learning::AdTable>(ranker_.features(), ads),
               std::move(seen)};
      has_changed = true;
    }
    if (has_changed) std::erase_if(bound_, [](const auto& one) { return !one.second.inventory; });
    return has_changed;
  }

  void publish() {
    if (!model_ || model_->examples != learner_->examples()) model_ = learner_->model();
    std::vector<LearnedRanker::Ranking> rankings;
    for (const auto& [id, bound] : bound_) {
      auto scorer = learning::Scorer::bind(model_, bound.ads);
      if (scorer) rankings.push_back({bound.inventory, std::move(*scorer), bound.seen});
    }
    ranker_.use(std::move(rankings));
    metrics_.quality(quality_.quality());
  }

  void save() {
    Kept kept{.learned_until_ms = std::max(learned_until_ms_, kept_.learned_until_ms),
              .resume_from_ms = 0,
              .delays = clicks_.delays()};
    const auto oldest = clicks_.oldest();
    kept.resume_from_ms = oldest ? oldest->time_since_epoch().count() : kept.learned_until_ms;
    std::string content(reinterpret_cast<const char*>(&kept), sizeof kept);
    content += learner_->save();
    if (auto written = write_whole_file(options_.path, kMagic, content); !written)
      logging::warn("serving.model_not_written", {{"error", written.error().message}});
  }

  void load() {
    const auto begun_anew = [&](std::string_view why) {
      logging::error("serving.model_not_read", {{"path", options_.path}, {"error", why}});
    };
    const auto content = read_whole_file(options_.path, kMagic);
    if (!content) return begun_anew(content.error().message);
    if (!*content) return;
    const std::string_view bytes = **content;
    if (bytes.size() < sizeof kept_) return begun_anew("it is too short");
    auto learner = learning::Learner::load(ranker_.features(), options_.learner, bytes.substr(sizeof kept_));
    if (!learner) return begun_anew(learner.error().message);
    learner_.emplace(std::move(*learner));
    std::memcpy(&kept_, bytes.data(), sizeof kept_);
    clicks_.restore(kept_.delays);
  }

  void pause(const std::stop_token& stop, Millis time) {
    std::unique_lock lock(mutex_);
    stopped_.wait_for(lock, stop, time, [] { return false; });
  }

  const ClickLearnerOptions options_;
  LearnedRanker& ranker_;
  const Sites& sites_;
  const Seal seal_;
  MergedLogs logs_;
  learning::RequestFeatures features_;
  std::optional<learning::Learner> learner_;
  learning::DelayedClicks clicks_;
  learning::QualityWindow quality_;
  LearningMetrics metrics_;
  Kept kept_;                          ///< As it was read.
  std::int64_t learned_until_ms_ = 0;  ///< When the last impression that was learned was shown.
  Waiting<Decided> decided_{kMostDecided};
  Waiting<WallTime> shown_{2 * kMostDecided};
  std::map<std::string, Bound, std::less<>> bound_;
  std::shared_ptr<const learning::Model> model_;
  bool has_read_ = false, has_begun_ = false, has_caught_up_ = false;
  std::mutex mutex_;
  std::condition_variable_any stopped_;
  std::jthread thread_;
};

ClickLearner::ClickLearner(ClickLearnerOptions options, LearnedRanker& ranker, const Sites& sites,
                           log::EventLog& events, log::EventLog& decisions)
    : impl_(std::make_unique<Impl>(std::move(options), ranker, sites, events, decisions)) {}
ClickLearner::~ClickLearner() { stop(); }
void ClickLearner::start() { impl_->start(); }
void ClickLearner::stop() { impl_->stop(); }

}  // namespace marquee::serving
