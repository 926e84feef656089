// What is asked of and written to the store about dead letters.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "marquee/clickhouse/client.h"
#include "marquee/ingest/dead_letter.h"

namespace marquee::ingest {

/// By which a letter is told from one at the same offset of an older log.
[[nodiscard]] std::uint64_t bytes_hash(std::string_view bytes);

/// A letter that the store has, by the offset of its record.
struct KnownLetter {
  std::uint64_t bytes_hash = 0;
  std::string reason;
};
using KnownLetters = std::multimap<log::Offset, KnownLetter>;

/// Thread safe.
class DeadLetterStore {
 public:
  explicit DeadLetterStore(clickhouse::Client& client) : client_(client) {}

  /// Writes letters; writing one again changes nothing but its time. Reasons are cut to what people read.
  [[nodiscard]] Result<void> insert(const std::vector<DeadLetter>& letters);

  [[nodiscard]] Result<KnownLetters> letters(const std::string& topic, log::Partition partition, log::Range range);

 private:
  clickhouse::Client& client_;
};

}  // namespace marquee::ingest
