// What `marquee evaluate` reads: the log and the policy.
#pragma once

#include <memory>
#include <string>

#include "marquee/base/result.h"
#include "marquee/evaluation/decision_log.h"
#include "marquee/evaluation/policy.h"

namespace marquee::app {

/// Reads .ndjson and .jsonl as such, anything else as CSV, packed with gzip or zstd or not. Beside Open Bandit's CSV,
/// item_context.csv tells the ads that were there to choose from.
[[nodiscard]] Result<evaluation::DecisionLog> read_decision_file(const std::string& path);

struct PolicyChoice {
  std::string policy;    ///< "uniform", "target", "bts", or a file.
  std::string prior;     ///< For bts; empty: prior_bts.yaml, two folders above the log's.
  std::string campaign;  ///< For bts; empty: the name of the log's folder.
};

[[nodiscard]] Result<std::unique_ptr<evaluation::Policy>> choose_policy(const PolicyChoice& choice,
                                                                        const std::string& log_path,
                                                                        evaluation::DecisionLog& log);

}  // namespace marquee::app
