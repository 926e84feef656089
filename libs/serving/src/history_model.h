// What was learned from the store's history, on its way to who learns from the logs.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "marquee/base/result.h"
#include "marquee/base/time.h"
#include "marquee/log/event_log.h"

namespace marquee::serving {

struct HistoryModel {
  WallTime until{};                 ///< Of the last event.
  std::vector<log::Offset> events;  ///< By partition of the events' log: what comes after it.
  std::string trained;              ///< ClickTrainer::save.
};

/// Of what the learner keeps (LearningRounds::save).
inline constexpr std::string_view kModelMagic = "MQMODEL2";
/// ClickTrainer::save out of a file of either kind.
[[nodiscard]] Result<std::string> read_trained(const std::string& path);

/// What learning began with, beside the learner's file: known by its hash.
[[nodiscard]] Result<std::uint64_t> write_base(const std::string& model_path, std::string_view saved);
/// Empty where `hash` is 0. Action::give_up where there is none of that hash.
[[nodiscard]] Result<std::string> read_base(const std::string& model_path, std::uint64_t hash);

[[nodiscard]] Result<void> write_history_model(const std::string& path, const HistoryModel& model);
[[nodiscard]] Result<HistoryModel> read_history_model(const std::string& path);

}  // namespace marquee::serving
