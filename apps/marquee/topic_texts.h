// What topics of profiles are called, from the store: profiles have hashes alone.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>

#include "marquee/base/result.h"
#include "marquee/clickhouse/client.h"
#include "marquee/profile/topics.h"

namespace marquee::app {

/// Categories, courses and words of searches of the last week, those of the most users; none that fewer than five users
/// have, so that nobody's own words are shown to others.
class TopicTexts {
 public:
  [[nodiscard]] static Result<TopicTexts> read(clickhouse::Client& store);
  /// Empty where it is not known.
  [[nodiscard]] std::string find(profile::TopicKind kind, profile::Topic topic) const;

 private:
  std::unordered_map<std::uint64_t, std::string> texts_;
};

}  // namespace marquee::app
