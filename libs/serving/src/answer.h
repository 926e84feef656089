// The answer to POST /v1/decisions.
#pragma once

#include <string>
#include <vector>

#include "asked.h"
#include "marquee/decision/request.h"

namespace marquee::serving {

/// Addresses of one placement; empty where it has no ad.
struct Addresses {
  std::string impression, click;  ///< Paths.
};
[[nodiscard]] std::string write_answer(const Asked& asked, const decision::Decision& decision,
                                       const std::vector<Addresses>& addresses);
/// Why it is as it is, with everything by its name, for people: what was known of the request (what a profile adds is
/// told by hashes, and left out), and of each placement its candidates with scores and chances, and what was left out.
[[nodiscard]] std::string write_explanation(const Asked& asked, const decision::Decision& decision);

}  // namespace marquee::serving
