// Finds and counts dead letters in the store.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "marquee/ingest/dead_letter_office.h"

namespace marquee::ingest {

/// Thread safe.
class DeadLetterList {
 public:
  explicit DeadLetterList(clickhouse::Client& client) : client_(client) {}

  struct Page {
    std::vector<ListedLetter> letters;  ///< Newest first, without text.
    std::string next;                   ///< Empty after the last.
  };
  /// At most `limit` letters and about 8 MiB of bytes, at least one where there is one. Action::reject: `after` is none
  /// of Page::next.
  [[nodiscard]] Result<Page> page(const LetterFilter& filter, std::optional<bool> is_replayed, const std::string& after,
                                  std::size_t limit);
  /// Fills the counts.
  [[nodiscard]] Result<void> count(const LetterFilter& filter, LetterPage& page);
  /// The newest letters at these offsets, in no order; there may be none.
  [[nodiscard]] Result<std::vector<ListedLetter>> find(const std::string& topic, log::Partition partition,
                                                       const std::vector<log::Offset>& offsets);

 private:
  clickhouse::Client& client_;
};

}  // namespace marquee::ingest
