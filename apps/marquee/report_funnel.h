// marquee report funnel: its options, and its answer as rows.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "marquee/base/result.h"
#include "text_table.h"

namespace marquee::app {

struct FunnelOptions {
  std::vector<std::string> types = {"page_view", "course_view"};  ///< Of steps without conditions, an event type each.
  std::vector<std::string> steps;                                 ///< "<types>;<filter>;<filter>" each.
  std::vector<std::uint64_t> optional;
  std::vector<std::string> exclusions;  ///< As steps, and "@<step>-<step>" after the types.
  std::uint64_t window_seconds = 3600;
  std::string order = "ordered";
  std::string by;
  std::uint64_t dropped_after = 0;
  std::uint64_t key_limit = 1000;
};

void add_funnel_options(CLI::App& command, FunnelOptions& options);

/// What POST /v1/reports/funnel takes, without site, times and filters.
[[nodiscard]] Result<nlohmann::ordered_json> funnel_definition(const FunnelOptions& options);

/// First the header; a row for each step of the whole funnel and of each row of the breakdown.
[[nodiscard]] std::vector<Row> funnel_rows(const nlohmann::ordered_json& report);

/// Of those who dropped out: the header and a row for each user's key.
[[nodiscard]] std::vector<Row> dropped_rows(const nlohmann::ordered_json& report);
/// How many they are, as a sentence.
[[nodiscard]] std::string dropped_sentence(const nlohmann::ordered_json& report);

}  // namespace marquee::app
