// Reads one event object of a request: the fields by their table, then the rules that join them.
#pragma once

#include <simdjson.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "marquee/event/parser.h"
#include "marquee/event/user_agent.h"

namespace marquee::event {

namespace dom = simdjson::dom;

/// Gives the event to `on_event` and returns true, or fills field and reason of `rejection`. `offset_ms` is what to add
/// to client times (received - sent_at), where the request says when it was sent. `props` is a buffer that is used
/// again.
[[nodiscard]] bool read_event(dom::element element, const Context& context, const UserAgent& agent,
                              std::optional<std::int64_t> offset_ms, std::string& props, Rejection& rejection,
                              const std::function<void(const Event&)>& on_event);

}  // namespace marquee::event
