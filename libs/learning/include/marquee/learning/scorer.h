// Scores all candidates of a request: a model bound to the ads of a catalog.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "marquee/base/result.h"
#include "marquee/learning/features.h"
#include "marquee/learning/learner.h"

namespace marquee::learning {

/// Immutable, so any number of threads may score with it; make a new one where the model or the catalog changes (some
/// 0.3 us an ad), and publish it (published.h).
class Scorer {
 public:
  /// Room to work in; each thread has its own, and what it once grew to is kept: no allocation after the first calls.
  class Scratch {
    friend class Scorer;
    std::vector<std::uint32_t> hashes_;
    std::vector<float> by_value_;
    std::vector<float> logits_;
  };

  /// `reject` where model and ads are of different features.
  [[nodiscard]] static Result<std::shared_ptr<const Scorer>> bind(std::shared_ptr<const Model> model,
                                                                  std::shared_ptr<const AdTable> ads);

  /// `request` is of the spec that model and ads have. attraction[i] becomes the probability of a click on ads'
  /// candidates[i] where it is surely looked at; p(click) at a position is that times examination(position). All
  /// crosses of all candidates are taken: no shortlist, no approximation but float's. `attraction` has the size of
  /// `candidates`; candidates are indices of the AdTable.
  void score(const RequestFeatures& request, std::span<const std::uint32_t> candidates, std::span<float> attraction,
             Scratch& scratch) const;

  /// score() in steps, for requests that have rows in common. logits[i] becomes candidates[i]'s by the rows; what other
  /// rows give is added; and attractions are made of it. Of rows() and then rows_apart() that is, bit for bit, what
  /// score() gives.
  void begin(std::span<const Row> rows, std::span<const std::uint32_t> candidates, std::span<float> logits,
             Scratch& scratch) const;
  void add(std::span<const Row> rows, std::span<const std::uint32_t> candidates, std::span<float> logits,
           Scratch& scratch) const;
  static void finish(std::span<const float> logits, std::span<float> attraction);

  /// spread[i] becomes the relative standard deviation of the rate (its Gamma posterior's) of candidates[i].
  void rate_spread(std::span<const std::uint32_t> candidates, std::span<float> spread) const;
  /// The same of attraction in this context: the rate's, and the crosses' as Gaussians of precision
  /// `prior_precision` + n (Chapelle, Li, "An Empirical Evaluation of Thompson Sampling", 2011), each on its own.
  [[nodiscard]] float spread(const RequestFeatures& request, std::uint32_t ad, float prior_precision) const;

  [[nodiscard]] double examination(std::size_t position) const { return model_->examination.at(position); }
  [[nodiscard]] const Model& model() const { return *model_; }
  [[nodiscard]] const AdTable& ads() const { return *ads_; }

 private:
  Scorer(std::shared_ptr<const Model> model, std::shared_ptr<const AdTable> ads);
  void add_field(std::span<const Row> rows, std::span<const std::uint32_t> candidates, std::span<float> logits,
                 Scratch& scratch) const;

  std::shared_ptr<const Model> model_;
  std::shared_ptr<const AdTable> ads_;
  std::vector<float> offset_;  // Logit of the ad's rate.
  std::vector<float> spread_;
};

}  // namespace marquee::learning
