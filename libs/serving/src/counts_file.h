// The file in which counts outlive the process.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "marquee/base/result.h"
#include "marquee/log/event_log.h"
#include "marquee/serving/sites.h"

namespace marquee::serving {

/// Writes what all deciders have counted and `offsets`, up to which the log is in it: whole or not at all (temporary
/// file, fsync, rename), with a checksum.
[[nodiscard]] Result<void> write_counts_file(const std::string& path, const Sites& sites,
                                             const std::vector<log::Offset>& offsets);

/// Restores it into `sites` and gives the offsets; nullopt where there is no file. Action::give_up where it is damaged:
/// budgets would begin anew without anybody noticing.
[[nodiscard]] Result<std::optional<std::vector<log::Offset>>> read_counts_file(const std::string& path, Sites& sites);

}  // namespace marquee::serving
