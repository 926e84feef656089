// The click model and the one who learns it.
//
//   p(click) = examination(position) * attraction(x, ad)
//   logit attraction = logit rate(ad) + sum of x_i w_i          rate: priors.h; w: ftrl.h,
//                                                              term_precisions.h
//
// With y the outcome, the gradient of the log-loss by the logit is (p - y) (1 - attraction) / (1 - p): linear in y,
// which lets outcomes that are estimates (delayed_clicks.h) stand for those that are not known yet.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "marquee/base/result.h"
#include "marquee/learning/examination.h"
#include "marquee/learning/features.h"
#include "marquee/learning/ftrl.h"
#include "marquee/learning/priors.h"
#include "marquee/learning/term_precisions.h"

namespace marquee::learning {

struct LearnerOptions {
  unsigned slots_log2 = 20;  ///< Size of the table, 10 to 26; 12 bytes a slot here, 8 in each model.
  FtrlOptions ftrl;
  PriorOptions priors;
  double examination_clicks = 20;  ///< What the prior of a position is worth.
  double half_life_s = 0;         ///< Rates and examination: what was counted counts half after this long; 0: for ever.
  double weight_half_life_s = 0;  ///< Weights: how sure of them the learner is, likewise (ftrl_forget).
};

/// An impression, to be learned. The rows may be shared by the impressions of a decision.
struct Impression {
  std::shared_ptr<const std::vector<Row>> rows;
  AdFeatures ad;
  std::uint8_t position = 0;
  double time_s = 0;  ///< When it was shown, since the epoch.
};

/// What the model said of an impression.
struct Prediction {
  double attraction = 0;
  double examination = 1;
  double click = 0;  ///< examination * attraction, below 1.
};

/// A model at one moment: immutable, any number of threads may read it. Held by shared_ptr; see published.h.
struct Model {
  std::uint64_t spec = 0;     ///< FeatureSpec::fingerprint.
  std::uint64_t version = 0;  ///< Hash of what was learned: equal for equal examples in equal order.
  std::uint64_t examples = 0;
  double clicks = 0;
  std::uint32_t mask = 0;          ///< Slots - 1.
  std::vector<float> weights;      ///< By slot; the first kLongestRow once more behind the last, for rows that go over.
  std::vector<float> information;  ///< By slot, the Fisher information that was gathered.
  Priors priors{PriorOptions{}};
  Examination examination;

  /// Without learning: for watching versions on what comes after them.
  [[nodiscard]] Prediction predict(const Impression& impression) const;
};

/// The numbers of a learner, as they stand at the head of what it saves.
struct StateHead {
  std::uint64_t spec = 0;
  std::uint64_t slots_log2 = 0;
  std::uint64_t examples = 0;
  double clicks = 0;
  std::uint64_t refitted_at = 0;   ///< Examples at the last refit of rates and examination,
  std::uint64_t estimated_at = 0;  ///< and at the last estimate of the terms' precisions.
  double latest_s = 0;             ///< Latest time of an impression.
  double decayed_s = 0;            ///< Time until which counts are decayed.
};

/// Learns one example after the other. Not thread safe: one thread learns. Deterministic: the same examples in the same
/// order lead to the same bits (on one build; another compiler may round otherwise).
class Learner {
 public:
  /// Options out of range are brought into it.
  Learner(const FeatureSpec& spec, const LearnerOptions& options);

  /// Learns that the impression led to `clicks` clicks (0, 1, or an estimate between and above) and returns what was
  /// predicted before. Allocates only for an ad, campaign, category or site that is new.
  Prediction learn(const Impression& impression, double clicks);
  [[nodiscard]] Prediction predict(const Impression& impression) const;

  /// A model of what is learned so far.
  [[nodiscard]] std::shared_ptr<const Model> model() const;

  /// All that was learned, checksummed and compressed (zstd). load() goes on from there as if never interrupted.
  [[nodiscard]] std::string save() const;
  /// `give_up` where bytes are damaged; `reject` where they are of another spec or size of table.
  [[nodiscard]] static Result<Learner> load(const FeatureSpec& spec, const LearnerOptions& options,
                                            std::string_view bytes);

  [[nodiscard]] std::uint64_t version() const;
  [[nodiscard]] const TermPrecisions& precisions() const { return precisions_; }
  [[nodiscard]] std::uint64_t examples() const { return head_.examples; }

 private:
  [[nodiscard]] double logit_of_rows(const Impression& impression) const;
  void learn_weights(const Impression& impression, const Prediction& said, double clicks);
  void refit();
  [[nodiscard]] std::string state() const;

  LearnerOptions options_;
  std::uint32_t mask_;
  std::vector<Coordinate> table_;
  TermPrecisions precisions_;
  Priors priors_;
  Examination examination_;
  PositionFit fit_;
  StateHead head_;
};

}  // namespace marquee::learning
