#include "fields.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <numeric>

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

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    auto diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const auto replaced = diagonal + (a[i - 1] == b[j - 1] ? 0U : 1U);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
    }
  }
  return row[b.size()];
}

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
  const auto wanted = name.substr(0, 32);
  return *std::min_element(kTypeNames.begin() + 1, kTypeNames.end(), [&](std::string_view a, std::string_view b) {
    return edit_distance(wanted, a) < edit_distance(wanted, b);
  });
}

}  // namespace marquee::event
