// Rules of who and where, and parts of days, from and to JSON.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "definition_reader.h"

namespace marquee::decision {

/// `zone` is of what names none.
void read_day_part(const Json& json, const std::string& path, const std::string& zone, DayPart& part, Fault& fault);
[[nodiscard]] Json day_part_json(const DayPart& part);

/// An empty object is everyone; within a rule there is none.
void read_targeting(const Json& json, const std::string& path, const std::string& zone, Targeting& targeting,
                    Fault& fault);
[[nodiscard]] Json targeting_json(const Targeting& targeting);

}  // namespace marquee::decision
