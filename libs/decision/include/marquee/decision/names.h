// The words that the API, the catalog and reports use for the choices of campaign.h.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "marquee/decision/campaign.h"

namespace marquee::decision {

[[nodiscard]] std::string_view name(Tier tier);
[[nodiscard]] std::string_view name(Status status);
[[nodiscard]] std::string_view name(Pacing pacing);
[[nodiscard]] std::string_view name(Price price);
[[nodiscard]] std::string_view name(CapScope scope);
[[nodiscard]] std::string_view name(Field field);
[[nodiscard]] std::string_view name(Creative::Kind kind);

/// nullopt where no choice is called so. For each of the types above.
template <class Choice>
[[nodiscard]] std::optional<Choice> parse(std::string_view name);

/// All of them, in the order of the enumeration. For each of the types above.
template <class Choice>
[[nodiscard]] std::span<const std::string_view> names();

}  // namespace marquee::decision
