// The names of the fields that an event may be sent with; what has another name is kept in props.
#pragma once

#include <string_view>
#include <vector>

namespace marquee::event {

[[nodiscard]] std::vector<std::string_view> field_names();
[[nodiscard]] bool is_field(std::string_view name);
/// Whether it must be a number, not text that looks like one. Times may also be RFC 3339 text.
[[nodiscard]] bool is_number_field(std::string_view name);
[[nodiscard]] bool is_time_field(std::string_view name);

}  // namespace marquee::event
