// What POST /v1/decisions was asked.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "marquee/base/result.h"
#include "marquee/decision/request.h"
#include "marquee/event/event.h"
#include "marquee/event/person.h"
#include "marquee/ingest/access.h"
#include "marquee/profile/permission.h"
#include "marquee/profile/segment_memberships.h"
#include "marquee/serving/live_segments.h"

namespace marquee::serving {

inline constexpr std::size_t kMostPlacements = 20;

struct AskContext {
  const ingest::WriteKey& key;
  event::HashKey hash_key;
  std::string_view user_agent;
  std::int64_t now_ms = 0;
};

/// Not to be moved: its texts borrow from each other.
struct Asked {
  decision::Request request;
  event::Event event;          ///< What is known of who and where, as an impression of it will say.
  bool may_know_user = false;  ///< profile::may_be_known().
  std::optional<std::uint32_t> age = {};
  std::optional<profile::Permission> permission = {};  ///< Of who is named by user_id and may be known.
  bool wants_reasons = false;
  std::size_t runner_ups = 0;
  std::vector<std::string> texts;  ///< What `request` borrows, besides the parser's; as `year`.
  std::string year;
  std::string profile_texts, cluster_text;               ///< What `request` borrows of the profile,
  std::shared_ptr<const profile::SegmentView> segments;  ///< and of the segments.
  std::shared_ptr<const LiveSegments> live_segments;
};

/// Milliseconds since 1970, or RFC 3339.
[[nodiscard]] std::optional<std::int64_t> read_time(std::string_view text);

/// Reads one request. Its texts live until the next read on the same thread. Action::reject names the field.
[[nodiscard]] Result<void> read_request(std::string_view body, const AskContext& context, Asked& asked);

}  // namespace marquee::serving
