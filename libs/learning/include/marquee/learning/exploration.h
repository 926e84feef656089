// Which ad to show: mostly the one that promises most, sometimes another, with the exact probability of each choice.
//
// At each position of a slate, n candidates being left, those of them that may be best make the shortlist S (at most
// `shortlist`, by value * (1 + optimism * spread)), a method deals out shares pi over S, shares below the floor are
// raised to it, and
//
//   propensity(i) = u / n + (1 - u) * share(i),       share(i) = 0 outside S,  u: uniform_share
//
// Every candidate of S has at least `floor`; the others have u / n. With 2,000 candidates a floor of 1e-3 under each
// would cost twice what there is to give: it holds for all where n <= shortlist, else for the shortlist, whose floors
// cost at most shortlist * floor = 3.2 %, and 1 / (50 n) holds for all (u = 2 %).
//
// Methods:
// - SquareCB (Foster, Rakhlin, "Beyond UCB", ICML 2020), with gaps relative to the best, which suits small rewards
//   (FastCB: Foster, Krishnamurthy, NeurIPS 2021): pi(i) = 1 / (|S| + gamma (best - value(i)) / best), the rest to the
//   best; gamma = gamma_scale * clicks learned ^ gamma_exponent.
// - Thompson sampling. The probability that a posterior draw favours an ad has no closed form; so the policy is defined
//   by a finite number of draws: `draws` worlds are drawn for the request, by a generator that its seed fixes, an ad's
//   share is the part of the worlds in which it is best, and the choice is drawn from those shares apart from that.
//   What is logged is exact, given the draws. log value ~ Normal(log mean, spread).
// - Greedy: all to the best.
//
// Propensity of a position is given those chosen before it; of a slate, their product.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "marquee/base/result.h"

namespace marquee::learning {

enum class Method : std::uint8_t { squarecb, thompson, greedy };

struct ExplorationOptions {
  Method method = Method::squarecb;
  double uniform_share = 0.02;  ///< In [0, 1].
  double floor = 1e-3;          ///< Times shortlist at most 0.5.
  std::uint32_t shortlist = 32;
  double optimism = 1;
  double gamma_scale = 20;
  double gamma_exponent = 0.5;
  std::uint32_t draws = 64;
};

/// `reject` says which option is out of bounds.
[[nodiscard]] Result<> check(const ExplorationOptions& options);

/// What is to be chosen from. The spans must live as long as the slate is drawn.
struct Arms {
  std::span<const float> value;   ///< What showing it is worth, e.g. attraction * bid; >= 0.
  std::span<const float> spread;  ///< Relative standard deviation of value. Empty: 0 for all.
  /// If given, Thompson's draws take the spread from here (e.g. Scorer::spread); asked for the shortlist alone, as it
  /// may cost too much to ask for all.
  const std::function<float(std::uint32_t arm)>* spread_in_context = nullptr;
};

struct Choice {
  std::uint32_t arm = 0;  ///< Index into Arms.
  double propensity = 1;
  bool was_uniform = false;  ///< Came from the uniform share: traffic that any policy can be judged by.
};

/// Draws a slate, position by position, best position first. Reuse it: it then allocates nothing. Not thread safe.
class SlateDraw {
 public:
  struct Share {
    std::uint32_t arm;
    double propensity;
  };

  /// `options` must have passed check().
  explicit SlateDraw(const ExplorationOptions& options) : options_(options) {}

  /// `seed`: of this request alone (a decision's id); the same seed draws the same. `clicks` the model has learned.
  /// `positions` that will be asked for, at the least: of what is right for more, but then quicker.
  void begin(const Arms& arms, std::uint64_t seed, double clicks, std::size_t positions = 32);
  /// Takes an arm out of what follows: ineligible beside what was chosen.
  void exclude(std::uint32_t arm);
  /// Chooses for the next position and takes the arm out; nothing where none is left.
  [[nodiscard]] std::optional<Choice> next();
  /// What next() shares out, for who draws from that himself; nothing is chosen, nothing taken out. False where no arm
  /// is left.
  bool share_out();

  /// Of the last next() or share_out(): the shortlist with its propensities, most valuable first, and what each other
  /// candidate had.
  [[nodiscard]] std::span<const Share> shortlist() const { return shortlist_; }
  [[nodiscard]] double others_propensity() const { return others_propensity_; }
  /// Candidates of it.
  [[nodiscard]] std::uint32_t candidates() const { return candidates_; }

 private:
  struct Posterior {
    double log_value, spread;
  };
  [[nodiscard]] std::size_t left() const { return is_whole_ ? arms_.value.size() : left_.size(); }
  [[nodiscard]] bool is_gone(std::uint32_t arm) const;
  void make_reserve();
  void list_promises();
  void make_shortlist();
  void sort_shortlist();
  void deal_squarecb();
  void deal_thompson();
  void raise_to_floor(double floor);
  [[nodiscard]] double spread(std::uint32_t arm) const { return arms_.spread.empty() ? 0 : arms_.spread[arm]; }

  ExplorationOptions options_;
  Arms arms_;
  std::uint64_t seed_ = 0;
  std::uint32_t position_ = 0;
  std::size_t reserve_size_ = 0;
  double gamma_ = 0;
  std::uint32_t candidates_ = 0;
  double others_propensity_ = 0;
  bool is_whole_ = true;              // No arm is gone yet: the next two are not made.
  std::vector<std::uint32_t> left_;   // Arms not yet chosen nor excluded.
  std::vector<std::uint32_t> place_;  // Where in left_ an arm stands.
  std::vector<double> promises_;      // Of the arms, or of those left.
  std::vector<double> greatest_;      // Of each of some groups of these.
  std::vector<std::uint32_t> some_;   // Which of them may be among the greatest.
  std::vector<Share> reserve_;        // By promise, which stands in place of the propensity.
  std::vector<Share> shortlist_;
  std::vector<std::uint64_t> order_;  // Of the shortlist, while it is sorted.
  std::vector<Posterior> posterior_;  // Of the shortlist, for Thompson.
};

}  // namespace marquee::learning
