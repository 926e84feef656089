// The names that clients may send, and what each must hold.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "marquee/event/event.h"

namespace marquee::event {

/// How a field is read. `text` to `real` are stored straight into the member at Spec::offset.
enum class Kind : std::uint8_t {
  text,
  u8,
  u16,
  permyriad,
  u32,
  i32,
  real,
  propensity,
  type,
  event_time,
  received_time,
  sent_at,
  session_id,
  session_key,
  user_id,
  user_key,
  is_bot,
  consent,
  site_id,
  referrer,
  viewport,
  props,
};

struct Spec {
  std::string_view name;
  Kind kind;
  std::size_t offset = 0;   ///< Of the member in Event.
  std::uint64_t limit = 0;  ///< Longest text in bytes, or largest number.
  std::uint64_t least = 0;  ///< Smallest number.
};

/// The specification of a field, or null for a name that is kept in props.
[[nodiscard]] const Spec* find_field(std::string_view name);

/// The known type name nearest to `name` by edit distance.
[[nodiscard]] std::string_view nearest_type(std::string_view name);

}  // namespace marquee::event
