// Makes events of dead letters, as far as they can be read by now.
#pragma once

#include <mutex>
#include <string>
#include <string_view>

#include "marquee/event/event.h"
#include "marquee/event/parser.h"
#include "marquee/ingest/dead_letter_office.h"

namespace marquee::ingest {

/// Thread safe.
class DeadLetterReader {
 public:
  explicit DeadLetterReader(const DeadLetterOptions& options) : options_(options) {}

  /// The event of the letter's bytes, in binary form, with an identity. Our own topic holds events in binary form; JSON
  /// in it is taken for an event as POST /v1/events would. `time_ms`: when the letter was written.
  [[nodiscard]] Result<std::string> read(const DeadLetter& letter, std::int64_t time_ms) const;
  /// The same of JSON that a person gave.
  [[nodiscard]] Result<std::string> read_json(const DeadLetter& letter, std::string_view json,
                                              std::int64_t time_ms) const;
  /// Sets `text` and `is_event`.
  void show(ListedLetter& listed) const;

 private:
  [[nodiscard]] bool is_own(const std::string& topic) const { return topic.empty() || topic == options_.topic; }

  const DeadLetterOptions& options_;
};

}  // namespace marquee::ingest
