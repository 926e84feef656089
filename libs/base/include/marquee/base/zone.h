// Time zones by name.
#pragma once

#include <string>

namespace date {
class time_zone;
}

namespace marquee {

/// IANA's, as this machine's tzdata has it ("Asia/Kolkata"); lives as long as the process. Null where there is none of
/// that name, which may be any text.
[[nodiscard]] const date::time_zone* find_zone(const std::string& name);

}  // namespace marquee
