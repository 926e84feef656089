// Policies and lines of decisions of any bytes: no crash, what is read can be evaluated, and a policy that is read is a
// distribution.
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <numeric>
#include <string_view>

#include "marquee/evaluation/evaluation.h"
#include "marquee/evaluation/read_decisions.h"

namespace {

using namespace marquee;
using namespace marquee::evaluation;

Result<DecisionLog> read_lines(std::string_view text) {
  std::uint64_t line = 0;
  return read_decision_lines([&](TextRow& row) -> Result<bool> {
    if (text.empty()) return false;
    const auto end = text.find('\n');
    row = {{text.substr(0, end)}, ++line};
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    return true;
  });
}

void check_policy(const Policy& policy, const DecisionLog& log) {
  std::vector<std::uint32_t> ads(log.ads.size());
  std::iota(ads.begin(), ads.end(), 0U);
  std::vector<double> chosen(ads.size());
  if (!policy.choose(log, 0, ads, chosen)) return;
  double total = 0;
  for (const double probability : chosen) {
    if (!(probability >= 0)) std::abort();
    total += probability;
  }
  if (!(std::abs(total - 1) < 1e-5)) std::abort();
}

}  // namespace

/// The first NUL parts the policy from the decisions; without one they are evaluated as uniform.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const auto cut = input.find('\0');
  auto log = read_lines(cut == std::string_view::npos ? input : input.substr(cut + 1));
  if (!log) return 0;
  for (const double propensity : log->propensity)
    if (!(propensity > 0 && propensity <= 1)) std::abort();
  const auto policy = cut == std::string_view::npos ? Result<std::unique_ptr<Policy>>(uniform_policy())
                                                    : read_policy(input.substr(0, cut), *log);
  if (!policy) return 0;
  check_policy(**policy, *log);
  const auto result = evaluate(*log, **policy, {.folds = 2});
  if (result && result->estimates.size() != kEstimators.size()) std::abort();
  return 0;
}
