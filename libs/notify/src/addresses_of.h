// Resolving a name with a deadline, which the system's resolver does not take.
#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "marquee/base/result.h"
#include "marquee/notify/webhook.h"

namespace marquee::notify {

/// At least one address. Action::retry where the name is not known, or not within `wait`. Also ends when `stop` is
/// asked for. The thread that asks is then left to itself: it keeps what it needs, and ends when its resolver does.
[[nodiscard]] Result<std::vector<boost::asio::ip::address>> addresses_of(const Resolve& resolve,
                                                                         const std::string& host, Millis wait,
                                                                         const std::stop_token& stop);

}  // namespace marquee::notify
