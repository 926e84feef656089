// Rows of the table of notices, for whoever changes them together with what they come from.
#pragma once

#include <soci/soci.h>

#include <string>

#include "marquee/catalog/notification_book.h"

namespace marquee::catalog {

/// 16 hexadecimal digits.
[[nodiscard]] std::string new_id();

[[nodiscard]] bool has_notice(soci::session& session, const std::string& id);
void insert_notice(soci::session& session, const Notice& notice);
/// Those of the source that still wait have failed, for that reason; true where there was one.
bool give_up_waiting(soci::session& session, NoticeSource source, const std::string& source_id,
                     const std::string& reason, std::int64_t now_ms);
/// Counts a delivery's failure; the last of `max_failures` in a row pauses it. True where it is paused.
bool count_failure(soci::session& session, const std::string& delivery_id, const std::string& error, int max_failures);
/// All of the source.
void forget_notices(soci::session& session, NoticeSource source, const std::string& source_id);

}  // namespace marquee::catalog
