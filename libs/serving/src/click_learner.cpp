#include "marquee/serving/click_learner.h"

#include <algorithm>
#include <condition_variable>
#include <filesystem>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "fatigue.h"
#include "history_model.h"
#include "learning_metrics.h"
#include "learning_rounds.h"
#include "marquee/base/logging.h"
#include "marquee/base/thread_priority.h"
#include "marquee/learning/scorer.h"
#include "marquee/serving/decision_server.h"
#include "marquee/serving/history.h"
#include "model_features.h"
#include "version_log.h"
#include "versions_told.h"
#include "whole_file.h"

namespace marquee::serving {
namespace {

constexpr Millis kTrainWait{20}, kTrainPause{1'000};
constexpr log::Offset kRemembered = 500;  ///< Rounds before a start that versions_json() looks at.

std::int64_t now_ms() { return SystemClock().now().time_since_epoch().count(); }

}  // namespace

class ClickLearner::Impl {
 public:
  Impl(ClickLearnerOptions options, LearnedRanker& ranker, const Sites& sites, log::EventLog& events,
       log::EventLog& decisions, log::EventLog& versions)
      : options_(std::move(options)),
        ranker_(ranker),
        sites_(sites),
        events_(events),
        decisions_(decisions),
        versions_(versions),
        metrics_(options_.metrics),
        told_(ranker.policy()) {}

  void start() {
    thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
  }
  void stop() {
    if (!thread_.joinable()) return;
    thread_.request_stop();
    thread_.join();
    if (has_begun_) save();
  }
  std::string versions_json() const {
    const auto cut = told_.served_until();
    return told_.json(unread(events_, cut.events) + unread(decisions_, cut.decisions));
  }

 private:
  struct Bound {
    std::shared_ptr<const decision::Inventory> inventory;
    std::shared_ptr<const learning::AdTable> ads;
    std::shared_ptr<const SeenAds> seen;
  };

  /// Records from `next` of each partition on; all that a log has where nothing was read yet.
  static std::uint64_t unread(const log::EventLog& log, const std::vector<log::Offset>& next) {
    std::uint64_t records = 0;
    for (log::Partition i = 0; i < log.partitions(); ++i) {
      const auto end = log.end(i);
      records += end - std::min(end, i < next.size() ? next[i] : log.begin(i));
    }
    return records;
  }

  void run(const std::stop_token& stop) {
    if (options_.gives_way) give_way();
    auto saved = std::chrono::steady_clock::now(), read = saved - options_.publish_every;
    while (!stop.stop_requested()) {
      if (!has_begun_) {
        const auto recovered = recover(stop);
        has_begun_ = recovered && *recovered;
        if (!recovered) wait_after(recovered.error(), stop);
        continue;
      }
      const auto now = std::chrono::steady_clock::now();
      if (now - read >= options_.publish_every) {
        if (const auto done = next_round(stop); !done) wait_after(done.error(), stop);
        read = now;
      }
      // A catalog that changed is followed at once, or its requests would be ranked by nothing. Not before what the
      // logs had at the start is learned.
      if (has_begun_ && has_caught_up_ && bind_inventories()) publish();
      if (has_begun_ && now - saved >= options_.save_every) {
        save();
        saved = now;
      }
      pause(stop, std::min(kTrainWait, options_.publish_every));
    }
  }

  void wait_after(const Error& error, const std::stop_token& stop) {
    logging::warn("serving.learner_waits", {{"error", error.message}});
    pause(stop, kTrainPause);
  }

  // A start.

  /// Goes on where the last run was, by the recorded rounds. False where `stop` came first.
  Result<bool> recover(const std::stop_token& stop) {
    if (told_.last_version() == 0)
      if (auto told = tell_recent(); !told) return told.error();
    const auto content = read_file();
    auto at = content.empty() ? take_up_beginning(stop) : take_up(content, stop);
    if (!at) return at.error();
    if (stop.stop_requested()) return false;
    if (!*at) return begin_anew(content, stop);
    bool is_same = true;
    for (log::Offset next = **at; next < versions_.end() && !stop.stop_requested();) {
      const auto rounds = versions_.read(next);
      if (!rounds) return rounds.error();
      for (const auto& round : *rounds) {
        if (round.is_begin) {
          const auto begun = begin_at(round, next++, stop);
          if (!begun) return begun.error();
          if (!*begun) return stop.stop_requested() ? Result<bool>(false) : begin_anew(rounds_->save(), stop);
          is_same = true;
          continue;
        }
        const auto repeated = rounds_->repeat(round, next++, stop);
        if (!repeated) return repeated.error();
        if (!*repeated) return false;
        is_same = is_same && **repeated;
      }
    }
    if (stop.stop_requested()) return false;
    if (is_same && !rounds_->logs().has_lost() && !rounds_->has_other_options()) return true;
    // From here on it can be repeated again.
    logging::warn("serving.versions_not_repeated", {{"version", rounds_->version()}});
    return begin_anew(rounds_->save(), stop);
  }

  /// What an earlier run has learned; empty where there is nothing that can be read.
  std::string read_file() {
    auto content = read_whole_file(options_.path, kModelMagic);
    if (content && !*content) return "";
    make_rounds();
    const auto begun = content ? rounds_->begin_with(**content) : Result<void>(content.error());
    if (begun) return std::move(**content);
    logging::error("serving.model_not_read", {{"path", options_.path}, {"error", begun.error().message}});
    return "";
  }

  /// The round to go on with; none where the log of versions is not the one that the file is of.
  Result<std::optional<log::Offset>> take_up(std::string_view content, const std::stop_token& stop) {
    const std::optional<log::Offset> none;
    make_rounds();
    if (auto begun = rounds_->begin_with(content); !begun) return begun.error();
    const auto next = rounds_->next_round();
    if (next == 0 || rounds_->recall_round() < versions_.begin() || next > versions_.end()) return none;
    const auto last = versions_.read(next - 1);
    if (!last) return last.error();
    if (last->empty() || !rounds_->was_last(last->front())) return none;
    for (log::Offset at = rounds_->recall_round(); at < rounds_->next_round();) {
      const auto rounds = versions_.read(at);
      if (!rounds) return rounds.error();
      for (auto round = rounds->begin(); round != rounds->end() && at < rounds_->next_round(); ++round, ++at) {
        const auto recalled = rounds_->recall(round->cut, stop);
        if (!recalled) return recalled.error();
        if (!*recalled) return none;
      }
    }
    rounds_->end_recall();
    return std::optional(rounds_->next_round());
  }

  /// The round after the last beginning, where the logs reach back to it.
  Result<std::optional<log::Offset>> take_up_beginning(const std::stop_token& stop) {
    const std::optional<log::Offset> none;
    const auto last = versions_.last_beginning();
    if (!last) return last.error();
    if (!*last) return none;
    const auto begun = begin_at((*last)->first, (*last)->second, stop);
    if (!begun) return begun.error();
    return *begun ? std::optional((*last)->second + 1) : none;
  }

  /// False where `stop` came first, or what it began with is not there any more.
  Result<bool> begin_at(const Round& round, log::Offset at, const std::stop_token& stop) {
    const auto base = read_base(options_.path, round.base);
    if (!base || !MergedLogs(events_, decisions_).has(round.recall)) return false;
    make_rounds();
    return rounds_->begin(round, at, *base, stop);
  }

  /// With what was learned otherwise (LearningRounds::save), or with nothing and all that the logs have.
  Result<bool> begin_anew(std::string_view learned, const std::stop_token& stop) {
    LearningRounds made(options_.training, ranker_.features(), events_, decisions_);
    Round begin{.at_ms = now_ms(), .version = told_.last_version() + 1, .is_published = true, .is_begin = true};
    if (learned.empty()) {
      const auto cut = made.logs().cut_at(WallTime{}, WallTime{});
      if (!cut) return cut.error();
      begin.cut = begin.recall = *cut;
    } else {
      if (auto loaded = made.begin_with(learned); !loaded) return loaded.error();
      begin.cut = made.cut();
      begin.recall = made.recall_cut();
      begin.version = std::max(begin.version, made.version() + 1);  // The log of versions may have been lost.
      const auto base = write_base(options_.path, learned);
      if (!base) return base.error();
      begin.base = *base;
    }
    begin.hash = made.trainer().learner().version();
    begin.examples = made.trainer().learner().examples();
    make_rounds();
    const auto at = versions_.end();
    const auto begun = rounds_->begin(begin, at, learned, stop);
    if (!begun || !*begun) return begun;
    if (auto appended = versions_.append(begin); !appended) return appended.error();
    told_.add(begin);
    save();  // Before a later beginning writes its base over this one's.
    return true;
  }

  /// What was learned from the store's history, if somebody put it there.
  Result<void> take_up_history(const std::stop_token& stop) {
    const std::string path = history_path(options_.path);
    std::error_code ignored;
    if (!std::filesystem::exists(path, ignored)) return {};
    const auto history = read_history_model(path);
    // What cannot be used is not tried again and again.
    const auto refuse = [&](const Error& error) {
      std::filesystem::remove(path, ignored);
      return Result<void>(error);
    };
    if (!history) return refuse(history.error());
    const WallTime since = history->until - options_.training.click_window - kClockError;
    const auto recall = rounds_->logs().cut_at(since, since - kImpressionLife);
    if (!recall) return recall.error();
    const auto tip = rounds_->logs().tip();
    if (!tip) return tip.error();
    auto cut = *tip, from = *recall;
    for (log::Partition i = 0; i < cut.events.size(); ++i) {
      // Where history has nothing of a partition, what is after the rest of it is new.
      const auto learned = i < history->events.size() ? history->events[i] : 0;
      cut.events[i] = std::min(cut.events[i], learned > 0 ? std::max(learned, events_.begin(i)) : from.events[i]);
      from.events[i] = std::min(from.events[i], cut.events[i]);
    }
    const auto saved = LearningRounds::saved_of(from, cut, history->trained);
    LearningRounds tried(options_.training, ranker_.features(), events_, decisions_);
    if (auto loaded = tried.begin_with(saved); !loaded) return refuse(loaded.error());
    has_begun_ = false;
    const auto begun = begin_anew(saved, stop);
    if (!begun) return begun.error();
    has_begun_ = *begun;
    if (!has_begun_) return {};
    std::filesystem::remove(path, ignored);
    logging::info("serving.history_learned",
                  {{"version", rounds_->version()}, {"impressions", rounds_->trainer().learner().examples()}});
    publish();
    return {};
  }

  void make_rounds() {
    rounds_ = std::make_unique<LearningRounds>(options_.training, ranker_.features(), events_, decisions_);
    is_taking_ = false;
    ended_.reset();
    counted_ = {};
    model_.reset();
  }

  Result<void> tell_recent() {
    for (auto at = std::max(versions_.begin(), versions_.end() - std::min(versions_.end(), kRemembered));
         at < versions_.end();) {
      const auto rounds = versions_.read(at);
      if (!rounds) return rounds.error();
      for (const auto& round : *rounds) told_.add(round);
      at += rounds->size();
    }
    return {};
  }

  // Afterwards.

  Result<void> next_round(const std::stop_token& stop) {
    if (!is_taking_ && has_caught_up_)
      if (auto done = take_up_history(stop); !done) return done;
    if (!ended_) {
      if (!is_taking_) {
        const auto tip = rounds_->logs().tip();
        if (!tip) return tip.error();
        target_ = *tip;
        if (target_ == rounds_->cut()) return catch_up();
      }
      is_taking_ = true;
      const auto taken = rounds_->take(target_, stop);
      if (!taken) return taken.error();
      if (!*taken) return {};
      ended_ = rounds_->end(now_ms());
    }
    // Durable before it serves: a decision names a version that the log tells of.
    const auto at = versions_.end();
    if (auto appended = versions_.append(*ended_); !appended) return appended;
    rounds_->recorded(*ended_, at);
    is_taking_ = false;
    const auto round = *std::exchange(ended_, std::nullopt);
    told_.add(round);
    if (round.left) tell_roll_back(*round.left, round.version);
    if (round.is_published && has_caught_up_) publish();
    told_.served_until(round.cut);
    tell();
    return catch_up();
  }

  /// What the logs had, before anybody is served without it.
  Result<void> catch_up() {
    if (std::exchange(has_caught_up_, true)) return {};
    bind_inventories();
    publish();
    told_.served_until(rounds_->cut());
    tell();
    return {};
  }

  void tell_roll_back(const LeftVersion& left, std::uint64_t version) {
    metrics_.rolled_back();
    logging::error("serving.version_rolled_back", {{"from", left.from},
                                                   {"to", left.to},
                                                   {"as", version},
                                                   {"impressions", left.examples},
                                                   {"worse_by", left.worse_by},
                                                   {"worse_by_at_least", left.sure_of}});
  }

  void tell() {
    const auto& trainer = rounds_->trainer();
    const auto& counts = trainer.counts();
    metrics_.learned(counts.impressions - counted_.impressions, counts.clicks - counted_.clicks,
                     counts.passed_over - counted_.passed_over);
    counted_ = counts;
    metrics_.waiting(trainer.waiting());
    metrics_.quality(trainer.latest(), trainer.previous());
    told_.compare(trainer.served(), trainer.previous(), trainer.reference());
  }

  /// True where a site has another inventory than before.
  bool bind_inventories() {
    bool has_changed = false;
    for (const auto& [id, decider] : sites_.all()) {
      auto inventory = decider->inventory();
      // A site that was just made has none for a moment: nothing can be bound to it yet.
      if (!inventory) continue;
      auto& bound = bound_[id];
      if (bound.inventory == inventory) continue;
      std::vector<learning::Ad> ads;
      for (const auto& row : inventory->ads()) ads.push_back(model_ad(id, row));
      auto seen = std::make_shared<const SeenAds>(*inventory);
      bound = {std::move(inventory), std::make_shared<const learning::AdTable>(ranker_.features(), ads),
               std::move(seen)};
      has_changed = true;
    }
    return has_changed;
  }

  /// What rounds_ has learned, as its version.
  void publish() {
    if (!model_ || model_version_ != rounds_->version()) model_ = rounds_->trainer().learner().model();
    model_version_ = rounds_->version();
    std::vector<LearnedRanker::Ranking> rankings;
    for (const auto& [id, bound] : bound_) {
      auto scorer = learning::Scorer::bind(model_, bound.ads);
      if (scorer) rankings.push_back({bound.inventory, std::move(*scorer), bound.seen});
    }
    ranker_.use(std::move(rankings), model_version_);
    metrics_.published(model_version_);
  }

  /// Between rounds only: of half a round nothing is recorded.
  void save() {
    if (is_taking_) return;
    if (auto written = write_whole_file(options_.path, kModelMagic, rounds_->save()); !written)
      return logging::warn("serving.model_not_written", {{"error", written.error().message}});
    versions_.release(rounds_->recall_round());
  }

  void pause(const std::stop_token& stop, Millis time) {
    std::unique_lock lock(mutex_);
    stopped_.wait_for(lock, stop, time, [] { return false; });
  }

  const ClickLearnerOptions options_;
  LearnedRanker& ranker_;
  const Sites& sites_;
  log::EventLog& events_;
  log::EventLog& decisions_;
  VersionLog versions_;
  LearningMetrics metrics_;
  VersionsTold told_;
  std::unique_ptr<LearningRounds> rounds_;
  LogCut target_;               ///< Of the round that is being read.
  bool is_taking_ = false;      ///< Whether one is.
  std::optional<Round> ended_;  ///< It is read, and not recorded yet.
  ClickTrainer::Counts counted_;
  std::map<std::string, Bound, std::less<>> bound_;
  std::shared_ptr<const learning::Model> model_;
  std::uint64_t model_version_ = 0;
  bool has_begun_ = false, has_caught_up_ = false;
  std::mutex mutex_;
  std::condition_variable_any stopped_;
  std::jthread thread_;
};

ClickLearner::ClickLearner(ClickLearnerOptions options, LearnedRanker& ranker, const Sites& sites,
                           log::EventLog& events, log::EventLog& decisions, log::EventLog& versions)
    : impl_(std::make_unique<Impl>(std::move(options), ranker, sites, events, decisions, versions)) {}
ClickLearner::~ClickLearner() { stop(); }
void ClickLearner::start() { impl_->start(); }
void ClickLearner::stop() { impl_->stop(); }
std::string ClickLearner::versions_json() const { return impl_->versions_json(); }

}  // namespace marquee::serving
