// What an event changes in a profile.
#pragma once

#include "marquee/event/event.h"
#include "marquee/profile/permission.h"
#include "marquee/profile/profile.h"

namespace marquee::profile {

/// When it happened, as a profile takes it: not after it was received.
[[nodiscard]] Seconds time_of(const event::Event& event);

void take_in(ProfileRecord& record, const event::Event& event, const EventProps& props);

}  // namespace marquee::profile
