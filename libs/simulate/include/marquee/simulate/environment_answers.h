// An environment as a program of any language talks to it: a line of JSON asks, a line answers.
#pragma once

#include <string>
#include <string_view>

#include "marquee/base/result.h"
#include "marquee/simulate/environment.h"

namespace marquee::simulate {

/// One policy's way through an environment.
///
///   {"next": 64, "within_ms": 300000}        the next visits, at most so many, within so long of the first:
///                                            {"visits": [{"visit": 0, "time": ..., what POST /v1/decisions is told,
///                                            "eligible": [ad, ...]}]}
///   {"show": [[visit, [ad, ...]], ...]}      ads slot by slot: {"shown": [{"best": clicks that the best ads promise,
///                                            "ads": [[true chance, ms until its click or null], ...]}]}
///   {"best": [visit, ...]}                   {"ads": [[ad, ...], ...]}: the best by true chance, slot by slot
///   {"visible": [visit, ...]}                the same as far as visible features can tell
///
/// Ads are numbers of the list that head() gives. Not thread safe.
class EnvironmentAnswers {
 public:
  /// `environment` must outlive it.
  explicit EnvironmentAnswers(const Environment& environment) : environment_(environment), trial_(environment) {}

  /// What is known of the world beforehand: slots, and the ads with their campaigns.
  [[nodiscard]] std::string head() const;
  /// `reject` says what is wrong with the line; the trial is as it was, but for the visits shown before the wrong one.
  [[nodiscard]] Result<std::string> answer(std::string_view line);

 private:
  const Environment& environment_;
  Trial trial_;
  std::size_t next_ = 0;
};

}  // namespace marquee::simulate
