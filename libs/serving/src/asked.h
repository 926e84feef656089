// What POST /v1/decisions was asked.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "marquee/base/result.h"
#include "marquee/decision/request.h"
#include "marquee/event/event.h"
#include "marquee/event/person.h"
#include "marquee/ingest/access.h"

namespace marquee::serving {

inline constexpr std::size_t kMostPlacements = 20;
inline constexpr std::int64_t kOfAge = 18;

/// What may be known of the user. Only this makes a request personal: consent to more than context, and an age that is
/// known to be of age. Whatever looks at persons takes one.
class Permission {
 public:
  [[nodiscard]] static Permission of(event::Consent consent, std::int64_t age) {
    return Permission(consent == event::Consent::full && age >= kOfAge);
  }
  [[nodiscard]] bool is_given() const { return is_given_; }

 private:
  explicit Permission(bool is_given) : is_given_(is_given) {}
  bool is_given_;
};

struct AskContext {
  const ingest::WriteKey& key;
  event::HashKey hash_key;
  std::string_view user_agent;
  std::int64_t now_ms = 0;
};

/// Not to be moved: its texts borrow from each other.
struct Asked {
  decision::Request request;
  event::Event event;  ///< What is known of who and where, as an impression of it will say.
  bool may_know_user = false;
  bool wants_reasons = false;
  std::size_t runner_ups = 0;
  std::vector<std::string> texts;  ///< What `request` borrows, besides the parser's; as `year`.
  std::string year;
};

/// Reads one request. Its texts live until the next read on the same thread. Action::reject names the field.
[[nodiscard]] Result<void> read_request(std::string_view body, const AskContext& context, Asked& asked);

}  // namespace marquee::serving
