// What an event changes in a profile.
#pragma once

#include "cap_log.h"
#include "marquee/event/event.h"
#include "marquee/profile/permission.h"
#include "marquee/profile/profile.h"

namespace marquee::profile {

/// When it happened, as a profile takes it: not after it was received.
[[nodiscard]] Seconds time_of(const event::Event& event);

/// Takes in everything but caps.
void take_in(ProfileRecord& record, const event::Event& event, const EventProps& props);

/// The keys of an impression that have a rule.
[[nodiscard]] std::vector<CapKey> capped_keys(const event::Event& event, const EventProps& props,
                                              const CapRules& rules);

}  // namespace marquee::profile
