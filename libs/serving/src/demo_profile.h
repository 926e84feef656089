// What the demo tells a visitor of the student that they play.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>

#include "marquee/base/result.h"
#include "marquee/event/event.h"
#include "marquee/profile/profile.h"

namespace marquee::serving {

/// What POST /v1/demo/profile was asked.
struct DemoAsked {
  std::string user_id;
  event::Consent consent = event::Consent::unknown;
  std::optional<std::uint32_t> age = {};
  /// By what topics are called: profiles have hashes alone, and are told only in the words of who asks.
  std::unordered_map<std::uint64_t, std::string> names;
};

/// Action::reject names what is wrong.
[[nodiscard]] Result<DemoAsked> read_demo_asked(std::string_view body);

/// JSON: how often and when it was seen, its interests, and what was shown to it and clicked lately. What `asked` has
/// no name for is counted.
[[nodiscard]] std::string write_demo_profile(const profile::Profile& profile, const DemoAsked& asked,
                                             profile::Seconds now);

}  // namespace marquee::serving
