// What the store remembers of replays: who was about to be sent as which event, and what was.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "marquee/clickhouse/client.h"
#include "marquee/event/event.h"
#include "marquee/ingest/dead_letter_office.h"

namespace marquee::ingest {

/// A letter that can be read.
struct ReadableLetter {
  const ListedLetter* listed = nullptr;
  std::string record;  ///< The event in binary form.
  bool is_mended = false;
  std::uint64_t identity = 0;  ///< Of the event.
};

/// Thread safe.
class ReplayMarks {
 public:
  explicit ReplayMarks(clickhouse::Client& client) : client_(client) {}

  enum class Outcome : std::uint8_t { begun = 1, sent = 2, counted = 3 };
  /// Marks letters for the attempt `replay`.
  [[nodiscard]] Result<void> write(std::uint64_t replay, Outcome outcome, const std::vector<ReadableLetter>& letters);
  /// Topic, partition, offset and hash of the bytes.
  using Key = std::tuple<std::string, log::Partition, log::Offset, std::uint64_t>;
  [[nodiscard]] static Key key_of(const ListedLetter& one) {
    return {one.letter.topic, one.letter.partition, one.letter.offset, one.bytes_hash};
  }
  /// Of the letters that `replay` has begun, those that other attempts had begun too: the identities of the events that
  /// these may have sent.
  [[nodiscard]] Result<std::multimap<Key, std::uint64_t>> begun_before(std::uint64_t replay);
  /// Of the events that any attempt has begun to send for the letters of `replay`, the identities of those that have
  /// landed.
  [[nodiscard]] Result<std::set<std::uint64_t>> landed(std::uint64_t replay);

 private:
  clickhouse::Client& client_;
};

}  // namespace marquee::ingest
