// Whether what the weights say can be trusted.
#pragma once

#include "marquee/evaluation/evaluation.h"

namespace marquee::evaluation {

/// Fills in `refusals` and `cautions` from the rest of the evaluation.
void judge(const DecisionLog& log, const TrustLimits& limits, Evaluation& evaluation);

}  // namespace marquee::evaluation
