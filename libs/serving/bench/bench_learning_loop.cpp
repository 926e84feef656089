// The learner in an environment of `marquee simulate`, without HTTP, logs and threads: a week in seconds, for trying
// options. What it prints is no figure of Marquee's; that is bench/closed-loop's.
//
//   bench_learning_loop ENVIRONMENT SEED [option=value...]     options: below, by name
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <functional>
#include <map>
#include <queue>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "marquee/decision/request.h"
#include "marquee/learning/delayed_clicks.h"
#include "marquee/learning/exploration.h"
#include "marquee/learning/learner.h"
#include "marquee/learning/scorer.h"
#include "marquee/serving/click_learner.h"
#include "marquee/simulate/environment.h"
#include "model_features.h"

namespace {

using namespace marquee;

constexpr std::int64_t kWindowMs = 900'000, kPublishMs = 1'800'000, kDayMs = 86'400'000;

struct Options {
  learning::LearnerOptions learner = serving::TrainingOptions{}.learner;
  learning::ExplorationOptions exploration;
  std::uint32_t visits = 0;
  std::vector<std::string> less, more;  ///< Terms.
  double spread_precision = 0;          ///< Thompson by the crosses' spread, too.
  bool learns_chances = false;          ///< True chances in place of clicks: what noise costs.
  bool knows_views = false;             ///< As if the model were told how often the user has seen each ad.
};

bool read_option(std::string_view text, Options& options) {
  const auto at = text.find('=');
  const std::string name(text.substr(0, at)), value(text.substr(at + 1));
  const double number = std::strtod(value.c_str(), nullptr);
  auto& ftrl = options.learner.ftrl;
  auto& priors = options.learner.priors;
  auto& exploration = options.exploration;
  const std::map<std::string, std::function<void()>> known = {
      {"precision", [&] { ftrl.precision = static_cast<float>(number); }},
      {"worth", [&] { ftrl.worth = static_cast<float>(number); }},
      {"l1", [&] { ftrl.l1 = static_cast<float>(number); }},
      {"ad_clicks", [&] { priors.ad_clicks = number; }},
      {"campaign_clicks", [&] { priors.campaign_clicks = number; }},
      {"category_clicks", [&] { priors.category_clicks = number; }},
      {"half_life_days", [&] { options.learner.half_life_s = number * 86'400; }},
      {"weight_half_life_days", [&] { options.learner.weight_half_life_s = number * 86'400; }},
      {"slots_log2", [&] { options.learner.slots_log2 = static_cast<unsigned>(number); }},
      {"gamma_scale", [&] { exploration.gamma_scale = number; }},
      {"gamma_exponent", [&] { exploration.gamma_exponent = number; }},
      {"uniform_share", [&] { exploration.uniform_share = number; }},
      {"floor", [&] { exploration.floor = number; }},
      {"optimism", [&] { exploration.optimism = number; }},
      {"shortlist", [&] { exploration.shortlist = static_cast<std::uint32_t>(number); }},
      {"method",
       [&] {
         exploration.method = value == "thompson" ? learning::Method::thompson
                              : value == "greedy" ? learning::Method::greedy
                                                  : learning::Method::squarecb;
       }},
      {"spread_precision", [&] { options.spread_precision = number; }},
      {"learns_chances", [&] { options.learns_chances = number > 0; }},
      {"knows_views", [&] { options.knows_views = number > 0; }},
      {"visits", [&] { options.visits = static_cast<std::uint32_t>(number); }},
      {"without", [&] { options.less.push_back(value); }},
      {"with", [&] { options.more.push_back(value); }},
  };
  const auto found = known.find(name);
  if (found == known.end()) return false;
  found->second();
  return true;
}

void describe(const simulate::Visit& visit, const simulate::VisibleContext& context, std::size_t slot,
              learning::RequestFeatures& features) {
  features.clear();
  const auto add = [&](std::string_view name, std::string_view value) {
    if (!value.empty()) features.add(name, value);
  };
  add("page", context.page_id);
  add("course_category", context.course_category);
  add("device", context.device);
  add("college", context.college);
  add("program", context.program);
  add("city", context.city);
  if (context.is_known) add("year", std::to_string(context.year));
  for (const auto& term : decision::search_terms(context.query)) add("search_term", term);
  serving::describe_place(features, visit.time_ms, "slot-" + std::to_string(slot));
  features.compile();
}

/// How often each user has seen each ad, half of it forgotten in a day, in a few steps.
class ViewBook {
 public:
  static constexpr std::array<std::string_view, 5> kSteps = {"0", "1", "2", "3", "4"};

  [[nodiscard]] std::size_t step(std::uint32_t user, std::uint32_t ad, std::int64_t time_ms) const {
    const auto found = views_.find({user, ad});
    const double views = found == views_.end() ? 0 : at(found->second, time_ms);
    return views < 0.25 ? 0 : views < 0.75 ? 1 : views < 1.5 ? 2 : views < 3 ? 3 : 4;
  }
  void add(std::uint32_t user, std::uint32_t ad, std::int64_t time_ms) {
    auto& views = views_[{user, ad}];
    views = {at(views, time_ms) + 1, time_ms};
  }

 private:
  struct Views {
    double count = 0;
    std::int64_t time_ms = 0;
  };
  static double at(const Views& views, std::int64_t time_ms) {
    return views.count * std::exp2(static_cast<double>(views.time_ms - time_ms) / kDayMs);
  }
  std::map<std::pair<std::uint32_t, std::uint32_t>, Views> views_;
};

struct Sum {
  double chance = 0;
  double best = 0;    // The best ads for the same students, who are tired of what they have seen here.
  double model = 0;   // Those that the model holds for the best: what is left is exploration.
  double oracle = 0;  // The oracle's own week.
  std::size_t shown = 0;
  void print(std::string_view what) const {
    fmt::print("{} {:.3f} %, {:.3f} of the oracle's ({:.3f} of the best's, the model's best {:.3f})  ", what,
               100 * chance / static_cast<double>(shown), chance / oracle, chance / best, model / best);
  }
};

class Loop {
 public:
  Loop(const simulate::Environment& environment, const Options& options)
      : environment_(environment),
        options_(options),
        spec_(*learning::FeatureSpec::parse(features_of(options))),
        learner_(spec_, options.learner),
        clicks_({.window = Millis(kWindowMs), .horizon = Millis(1'800'000)},
                [this](const learning::Impression& one, double clicks) { learner_.learn(one, clicks); }),
        trial_(environment),
        oracle_(environment) {
    std::vector<learning::Ad> ads;
    for (const auto& ad : environment.ads())
      ads.push_back({.id = ad.id,
                     .site = "campus",
                     .campaign = ad.campaign,
                     .category = ad.category,
                     .advertiser = ad.advertiser,
                     .attributes = {}});
    table_ = std::make_shared<const learning::AdTable>(spec_, ads);
  }

  void run() {
    learning::RequestFeatures features(spec_);
    learning::SlateDraw draw(options_.exploration);
    std::int64_t published = 0;
    const auto& visits = environment_.visits();
    Sum all, last_day;
    for (std::size_t i = 0; i < visits.size(); ++i) {
      take_clicks(visits[i].time_ms);
      if (visits[i].time_ms >= published + kPublishMs) {
        scorer_ = *learning::Scorer::bind(learner_.model(), table_);
        published = visits[i].time_ms;
      }
      const double best = trial_.best_value(i);
      double chance = 0, oracle = 0;
      const auto slate = choose(visits[i], i, features, draw);
      const double model = trial_.value(i, best_of_model_);
      const auto of_oracle = *oracle_.show(i, oracle_.best(i));
      for (const auto& one : of_oracle) oracle += one.chance;
      const auto shown = *trial_.show(i, slate);
      for (std::size_t slot = 0; slot < slate.size(); ++slot) {
        chance += shown[slot].chance;
        const learning::Impression impression{.rows = rows_[slot],
                                              .ad = table_->ad(slate[slot]),
                                              .position = static_cast<std::uint8_t>(slot),
                                              .time_s = static_cast<double>(visits[i].time_ms) / 1e3};
        if (options_.learns_chances) {
          learner_.learn(impression, shown[slot].chance);
          continue;
        }
        const auto id = i * simulate::kMostSlots + slot + 1;
        clicks_.show(id, WallTime(Millis(visits[i].time_ms)), impression);
        if (shown[slot].click_ms) due_.push({visits[i].time_ms + *shown[slot].click_ms, {id, visits[i].time_ms}});
      }
      for (auto* sum : {&all, &last_day}) {
        if (sum == &last_day && visits[i].time_ms < visits.back().time_ms - kDayMs) continue;
        sum->chance += chance;
        sum->best += best;
        sum->model += model;
        sum->oracle += oracle;
        sum->shown += slate.size();
      }
    }
    all.print("week");
    last_day.print("last day");
    fmt::print("\n");
  }

 private:
  static learning::FeatureOptions features_of(const Options& options) {
    auto features = serving::model_feature_options();
    for (const auto& term : options.less) std::erase(features.terms, term);
    if (options.knows_views) features.terms.emplace_back("views");
    features.terms.insert(features.terms.end(), options.more.begin(), options.more.end());
    return features;
  }

  /// The weight of a step of views is the same for all ads.
  [[nodiscard]] learning::Row row_of_views(std::size_t step) const {
    learning::RequestFeatures features(spec_);
    features.add("views", ViewBook::kSteps[step]);
    features.compile();
    return features.rows().front();
  }
  [[nodiscard]] float tired(float attraction, std::size_t step) const {
    const auto& model = scorer_->model();
    const float weight = model.weights[row_of_views(step).base & model.mask];
    return 1 / (1 + (1 - attraction) / attraction * std::exp(-weight));
  }

  void take_clicks(std::int64_t now_ms) {
    for (; !due_.empty() && due_.top().first <= now_ms; due_.pop()) {
      const auto& [at, impression] = due_.top();
      static_cast<void>(clicks_.click(impression.first, WallTime(Millis(impression.second)), WallTime(Millis(at))));
    }
  }

  void take_best_of_model(std::span<const std::uint32_t> ads, std::span<const float> value) {
    std::size_t best = ads.size();
    for (std::size_t i = 0; i < ads.size(); ++i)
      if (std::ranges::find(best_of_model_, ads[i]) == best_of_model_.end() &&
          (best == ads.size() || value[i] > value[best]))
        best = i;
    best_of_model_.push_back(ads[best]);
  }

  std::vector<std::uint32_t> choose(const simulate::Visit& visit, std::size_t number,
                                    learning::RequestFeatures& features, learning::SlateDraw& draw) {
    auto left = environment_.eligible(visit);
    const auto context = environment_.visible(visit);
    std::vector<std::uint32_t> slate;
    rows_.clear();
    best_of_model_.clear();
    for (std::size_t slot = 0; slot < environment_.options().slots; ++slot) {
      describe(visit, context, slot, features);
      std::vector<float> value(left.size()), spread(left.size());
      scorer_->score(features, left, value, scratch_);
      if (options_.knows_views && context.is_known)
        for (std::size_t i = 0; i < left.size(); ++i)
          value[i] = tired(value[i], views_.step(visit.student, left[i], visit.time_ms));
      take_best_of_model(left, value);
      scorer_->rate_spread(left, spread);
      const std::function<float(std::uint32_t)> in_context = [&](std::uint32_t arm) {
        return scorer_->spread(features, left[arm], static_cast<float>(options_.spread_precision));
      };
      draw.begin({.value = value,
                  .spread = spread,
                  .spread_in_context = options_.spread_precision > 0 ? &in_context : nullptr},
                 number * simulate::kMostSlots + slot, scorer_->model().clicks);
      const auto arm = draw.next()->arm;
      slate.push_back(left[arm]);
      left.erase(left.begin() + arm);
      std::vector<learning::Row> rows(features.rows().begin(), features.rows().end());
      if (options_.knows_views && context.is_known) {
        rows.push_back(row_of_views(views_.step(visit.student, slate.back(), visit.time_ms)));
        views_.add(visit.student, slate.back(), visit.time_ms);
      }
      rows_.push_back(std::make_shared<const std::vector<learning::Row>>(std::move(rows)));
    }
    return slate;
  }

  const simulate::Environment& environment_;
  const Options& options_;
  const learning::FeatureSpec spec_;
  learning::Learner learner_;
  learning::DelayedClicks clicks_;
  simulate::Trial trial_, oracle_;
  std::vector<std::uint32_t> best_of_model_;
  ViewBook views_;
  std::shared_ptr<const learning::AdTable> table_;
  std::shared_ptr<const learning::Scorer> scorer_;
  learning::Scorer::Scratch scratch_;
  std::vector<std::shared_ptr<const std::vector<learning::Row>>> rows_;
  using Due = std::pair<std::int64_t, std::pair<std::uint64_t, std::int64_t>>;
  std::priority_queue<Due, std::vector<Due>, std::greater<>> due_;
};

}  // namespace

int main(int argc, char** argv) {
  Options options;
  const auto* published = argc > 2 ? simulate::find_environment(argv[1]) : nullptr;
  for (int i = 3; published != nullptr && i < argc; ++i)
    if (!read_option(argv[i], options)) published = nullptr;
  if (published == nullptr || !learning::check(options.exploration)) {
    fmt::print(stderr, "usage: bench_learning_loop ENVIRONMENT SEED [option=value...]\n");
    return 2;
  }
  auto world = *published;
  if (options.visits > 0) world.visits = options.visits;
  const simulate::Environment environment(world, std::strtoull(argv[2], nullptr, 10));
  Loop(environment, options).run();
  return 0;
}
