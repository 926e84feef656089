// What a notice of an alert says.
#pragma once

#include <string>

#include "marquee/catalog/notification_book.h"
#include "marquee/notify/alert.h"

namespace marquee::notify {

/// {"type","timestamp","data":{...}} as JSON text.
[[nodiscard]] std::string alert_body(const catalog::Alert& alert, const AlertRule& rule, const AlertState& state,
                                     const std::string& type, std::int64_t time_ms);

}  // namespace marquee::notify
