// Makes an event of a message: decodes it, maps its fields, and reads the result as the collector reads what it is
// sent.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>

#include "marquee/base/result.h"
#include "marquee/feed/description.h"

namespace marquee::feed {

class Decoder;
struct MessageView;

/// What holds for all messages of a feed.
struct Rules {
  std::array<std::uint8_t, 16> hash_key{};              ///< For user_key and session_id.
  std::uint64_t max_event_age_ms = 30ULL * 86'400'000;  ///< Of a feed that is not trusted.
  bool consent_required = false;                        ///< Of the site.
};

struct Translation {
  enum class Outcome : std::uint8_t { event, ignored, refused };
  Outcome outcome = Outcome::ignored;
  std::string record;               ///< The event, as the log keeps it.
  std::uint64_t partition_key = 0;  ///< Of its site and user.
  std::string reason;               ///< Why it was refused, for people.
};

/// Of one thread.
class Translator {
 public:
  /// Both must outlive it.
  Translator(const Description& feed, const Decoder& decoder);
  ~Translator();
  /// Action::retry where the message cannot be read now (its schema's registry is away), and else never an error. A
  /// message without value, by which a compacted topic says that a key is gone, is ignored.
  [[nodiscard]] Result<const Translation*> translate(const MessageView& message, const Rules& rules,
                                                     std::int64_t now_ms);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace marquee::feed
