// Bernoulli Thompson sampling as Open Bandit's second policy does it: a click probability is drawn for each ad from its
// Beta distribution, and the ads with the highest ones are shown, the highest first.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "marquee/base/result.h"
#include "marquee/evaluation/policy.h"

namespace marquee::evaluation {

/// What is believed of each ad's click probability.
struct BetaPrior {
  std::vector<double> alpha;
  std::vector<double> beta;
};

/// Reads the priors of `campaign` from Open Bandit's prior_bts.yaml. Action::reject saying what is not as it should be.
[[nodiscard]] Result<BetaPrior> read_prior(const std::string& path, const std::string& campaign);

/// Probability that ad i comes to place k, as [k][i]; each place's sum to one. By integration over the value drawn for
/// i: the others exceed it k times. (obp counts draws instead, which is the same but for chance.) Exact to about 1e-9.
/// Action::reject where there are fewer ads than places, a parameter is not positive, or one is so small or so large
/// (beyond some 1e9) that no grid holds it beside the others.
[[nodiscard]] Result<std::vector<std::vector<double>>> thompson_probabilities(const BetaPrior& prior,
                                                                              std::size_t places);

/// The policy whose places are the log's positions in their order, and whose ads are numbered as the prior numbers
/// them; those that the log does not know are added to it. Action::reject where the log has an ad that the prior does
/// not.
[[nodiscard]] Result<std::unique_ptr<Policy>> thompson_policy(const BetaPrior& prior, DecisionLog& log);

}  // namespace marquee::evaluation
