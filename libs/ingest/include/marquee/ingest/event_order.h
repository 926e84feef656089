// In which order the events table stands on disk.
#pragma once

#include <string_view>

#include "marquee/base/result.h"
#include "marquee/clickhouse/client.h"

namespace marquee::ingest {

/// By who it was: the user and, of events without one, the session. Both are hashes, so that a share of all people at
/// random is two ranges of the primary key. What has neither comes first of its site, in order of time.
inline constexpr std::string_view kEventOrder = "site_id, user_key, if(user_key = 0, session_id, 0), event_time";

/// Puts marquee.events into kEventOrder where it stands in the order of sql/0001: copies it, day by day, while inserts
/// wait (RebuildLock), and exchanges the tables in one step. False where there was nothing to do, the disk has no room
/// for a second copy, or the table is one of a cluster: either order holds the same rows, and every query is right
/// with both, but shares of the people are read more slowly in the old one. May be cut off at any point, and is then
/// begun anew. Action::retry where another has the lock.
[[nodiscard]] Result<bool> order_events(clickhouse::Client& store);

}  // namespace marquee::ingest
