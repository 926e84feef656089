#include "marquee/decision/names.h"

#include <array>

namespace marquee::decision {
namespace {

// In the order of the enumerations.
template <class Choice>
constexpr std::array<std::string_view, 0> kNames = {};
template <>
constexpr auto kNames<Tier> = std::to_array<std::string_view>({"sponsorship", "guaranteed", "standard", "house"});
template <>
constexpr auto kNames<Status> = std::to_array<std::string_view>({"draft", "active", "paused", "ended"});
template <>
constexpr auto kNames<Pacing> = std::to_array<std::string_view>({"none", "even", "front_loaded"});
template <>
constexpr auto kNames<Price> = std::to_array<std::string_view>({"cpm", "cpc"});
template <>
constexpr auto kNames<CapScope> = std::to_array<std::string_view>({"campaign", "ad", "advertiser"});
template <>
constexpr auto kNames<Field> =
    std::to_array<std::string_view>({"page", "slot", "course_category", "search_term", "college", "program", "year",
                                     "city", "device", "segment", "interest", "seen_campaign", "seen_ad", "attribute"});
template <>
constexpr auto kNames<Creative::Kind> = std::to_array<std::string_view>({"image", "text", "card", "html"});

template <class Choice>
std::string_view name_of(Choice choice) {
  return kNames<Choice>[static_cast<std::size_t>(choice)];
}

}  // namespace

std::string_view name(Tier tier) { return name_of(tier); }
std::string_view name(Status status) { return name_of(status); }
std::string_view name(Pacing pacing) { return name_of(pacing); }
std::string_view name(Price price) { return name_of(price); }
std::string_view name(CapScope scope) { return name_of(scope); }
std::string_view name(Field field) { return name_of(field); }
std::string_view name(Creative::Kind kind) { return name_of(kind); }

template <class Choice>
std::optional<Choice> parse(std::string_view name) {
  for (std::size_t i = 0; i < kNames<Choice>.size(); ++i)
    if (kNames<Choice>[i] == name) return static_cast<Choice>(i);
  return std::nullopt;
}
template <class Choice>
std::span<const std::string_view> names() {
  return kNames<Choice>;
}
template std::span<const std::string_view> names<Tier>();
template std::span<const std::string_view> names<Status>();
template std::span<const std::string_view> names<Pacing>();
template std::span<const std::string_view> names<Price>();
template std::span<const std::string_view> names<CapScope>();
template std::span<const std::string_view> names<Field>();
template std::span<const std::string_view> names<Creative::Kind>();
template std::optional<Tier> parse(std::string_view);
template std::optional<Status> parse(std::string_view);
template std::optional<Pacing> parse(std::string_view);
template std::optional<Price> parse(std::string_view);
template std::optional<CapScope> parse(std::string_view);
template std::optional<Field> parse(std::string_view);
template std::optional<Creative::Kind> parse(std::string_view);

}  // namespace marquee::decision
