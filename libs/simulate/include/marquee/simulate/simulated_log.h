// A log that nobody filled: its records are a simulated month, made while they are read. What the loader does with a
// real log it does with this one (plans, inserts, recovery after a crash), so events come into the store as real ones
// do, and each exactly once.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "marquee/base/result.h"
#include "marquee/log/event_log.h"

namespace marquee::simulate {

struct SimulatedLogOptions {
  std::uint64_t events = 0;      ///< Of all partitions; each has an equal share (and the last what is left).
  std::uint32_t partitions = 4;  ///< Each is a stretch of the days, and a stream of its own.
  std::int64_t start_ms = 0;     ///< Since the Unix epoch.
  std::int64_t days = 30;
  std::uint32_t students = 50'000;  ///< The same ones in every partition.
  std::string site_id;
  std::string directory;  ///< Keeps each partition's progress; made where it is missing.
};

/// Given the same options, each offset has the same record whenever it is read, so that who was killed goes on. Reading
/// forward is cheap; a step back makes the partition's stream again from its begin (some 5 million events a second).
/// Nothing can be appended. Thread safe; partitions do not wait for each other. Action::reject where an option is out
/// of bounds.
[[nodiscard]] Result<std::unique_ptr<log::EventLog>> open_simulated_log(const SimulatedLogOptions& options);

}  // namespace marquee::simulate
