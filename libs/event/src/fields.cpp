#include "fields.h"

#include <array>
#include <cstddef>
#include <span>

#include "marquee/base/nearest.h"
#include "marquee/event/field_names.h"

namespace marquee::event {
namespace {

constexpr std::uint64_t kIdLength = 128;

constexpr Spec text(std::string_view name, std::size_t offset, std::uint64_t limit = kIdLength) {
  return {name, Kind::text, offset, limit, 0};
}

constexpr std::array kSpecs = {
    Spec{"type", Kind::type},
    Spec{"event_type", Kind::type},
    Spec{"event_time", Kind::event_time},
    Spec{"time", Kind::event_time},
    Spec{"ts", Kind::event_time},
    Spec{"received_time", Kind::received_time},
    Spec{"sent_at", Kind::sent_at},
    Spec{"session_id", Kind::session_id, 0, kIdLength},
    Spec{"session_key", Kind::session_key},
    Spec{"seq", Kind::u32, offsetof(Event, seq), UINT32_MAX, 1},
    text("external_id", offsetof(Event, external_id)),
    Spec{"user_id", Kind::user_id, 0, kIdLength},
    Spec{"user_key", Kind::user_key},
    text("college_id", offsetof(Event, college_id)),
    text("program", offsetof(Event, program)),
    Spec{"year_of_study", Kind::u8, offsetof(Event, year_of_study), 20},
    text("city", offsetof(Event, city)),
    text("device", offsetof(Event, device), 32),
    text("os", offsetof(Event, os), 32),
    text("browser", offsetof(Event, browser), 32),
    Spec{"is_bot", Kind::is_bot},
    Spec{"consent", Kind::consent},
    Spec{"site_id", Kind::site_id},
    text("page_id", offsetof(Event, page_id)),
    text("page_path", offsetof(Event, page_path), 1024),
    Spec{"referrer", Kind::referrer, 0, 2048},
    text("referrer_host", offsetof(Event, referrer_host), 253),
    text("slot_id", offsetof(Event, slot_id)),
    Spec{"position", Kind::u8, offsetof(Event, position), 255},
    Spec{"viewport", Kind::viewport},
    Spec{"viewport_width", Kind::u16, offsetof(Event, viewport_width), 65535},
    Spec{"viewport_height", Kind::u16, offsetof(Event, viewport_height), 65535},
    Spec{"scroll_depth", Kind::permyriad, offsetof(Event, scroll_depth), 10000},
    Spec{"x", Kind::permyriad, offsetof(Event, slot_x), 10000},
    Spec{"y", Kind::permyriad, offsetof(Event, slot_y), 10000},
    Spec{"page_x", Kind::permyriad, offsetof(Event, page_x), 10000},
    Spec{"page_y", Kind::permyriad, offsetof(Event, page_y), 10000},
    text("campaign_id", offsetof(Event, campaign_id)),
    text("ad_id", offsetof(Event, ad_id)),
    text("decision_id", offsetof(Event, decision_id)),
    text("course_id", offsetof(Event, course_id)),
    text("search_query", offsetof(Event, search_query), 256),
    Spec{"results_count", Kind::i32, offsetof(Event, results_count), INT32_MAX},
    Spec{"dwell_ms", Kind::u32, offsetof(Event, dwell_ms), UINT32_MAX},
    Spec{"visible_ms", Kind::u32, offsetof(Event, visible_ms), UINT32_MAX},
    Spec{"value", Kind::real, offsetof(Event, value)},
    Spec{"propensity", Kind::propensity, offsetof(Event, propensity)},
    text("policy", offsetof(Event, policy)),
    Spec{"props", Kind::props, 0, 8192},
};

constexpr std::size_t kSlots = 256;

constexpr std::size_t slot_of(std::string_view name) {
  std::uint32_t hash = 2166136261U;
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619U;
  return (hash ^ hash >> 15) % kSlots;
}

constexpr auto kTable = [] {
  std::array<std::uint8_t, kSlots> table{};
  for (std::size_t i = 0; i < kSpecs.size(); ++i) {
    auto slot = slot_of(kSpecs[i].name);
    while (table[slot] != 0) slot = (slot + 1) % kSlots;
    table[slot] = static_cast<std::uint8_t>(i + 1);
  }
  return table;
}();

}  // namespace

const Spec* find_field(std::string_view name) {
  if (name.size() > 16) return nullptr;
  for (auto slot = slot_of(name); kTable[slot] != 0; slot = (slot + 1) % kSlots) {
    const auto& spec = kSpecs[kTable[slot] - 1U];
    if (spec.name == name) return &spec;
  }
  return nullptr;
}

std::string_view nearest_type(std::string_view name) {
  return nearest(name.substr(0, 32), std::span(kTypeNames).subspan(1));
}

std::vector<std::string_view> field_names() {
  std::vector<std::string_view> names;
  for (const Spec& spec : kSpecs) names.push_back(spec.name);
  return names;
}

bool is_field(std::string_view name) { return find_field(name) != nullptr; }

bool is_time_field(std::string_view name) {
  const auto* spec = find_field(name);
  return spec != nullptr &&
         (spec->kind == Kind::event_time || spec->kind == Kind::received_time || spec->kind == Kind::sent_at);
}

bool is_number_field(std::string_view name) {
  const auto* spec = find_field(name);
  if (spec == nullptr) return false;
  switch (spec->kind) {
    case Kind::u8:
    case Kind::u16:
    case Kind::permyriad:
    case Kind::u32:
    case Kind::i32:
    case Kind::real:
    case Kind::propensity:
    case Kind::user_key:
      return true;
    default:
      return is_time_field(name);
  }
}

}  // namespace marquee::event
