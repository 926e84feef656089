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

}  // namespace marquee::serving
