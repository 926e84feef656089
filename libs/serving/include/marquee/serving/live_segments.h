// Live segments: named rules over what is known of a user, which hold or do not at the moment of a decision. Nobody is
// written down as being in one; so what a user did is in it as soon as it is in the profile.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "marquee/base/result.h"
#include "marquee/decision/campaign.h"
#include "marquee/decision/request.h"
#include "marquee/profile/profile.h"

namespace marquee::serving {

inline constexpr std::size_t kMostLiveSegments = 64;  ///< Of a site.

/// The rule language of targeting, over users alone: {"all"}, {"any"}, {"not"}; conditions of targeting on what a
/// request says of its user ({"field": "college", "in"}, {"attribute", "in"}, {"field": "interest", "in"}); and of the
/// profile:
/// - {"profile": "category:law", "at_least": 1.5}: the decayed count of a word (of searches), course, category, page,
/// or
///   campaign_seen, campaign_clicked, ad_seen, ad_clicked; without at_least a half.
/// - {"profile": "visits", "at_least": 3}, also impressions and clicks, and of these in the last "days" (1 to 7, UTC,
///   today's among them); without at_least 1.
/// - {"profile": "last_click", "within": "2d"}: first_seen, last_seen, last_impression, last_click.
/// "fewer_than" in place of "at_least" is its opposite. A user without profile is in no live segment.
class LiveRule {
 public:
  /// Action::reject, "<path>: why". Conditions on where and when (page, slot, time, ...) are refused: they are the
  /// campaign's, as are segments.
  [[nodiscard]] static Result<LiveRule> read(std::string_view json);

  /// `context` has what the request says of its user, and the interests of the profile (describe_profile).
  [[nodiscard]] bool holds(const profile::Profile& profile, const decision::Context& context) const;

 private:
  friend class LiveRuleReader;
  enum class Kind : std::uint8_t { all, any, none, context, topic, count, recency };
  enum class Counted : std::uint8_t { visits, impressions, clicks };
  enum class Moment : std::uint8_t { first_seen, last_seen, last_impression, last_click };

  [[nodiscard]] bool holds(const profile::Profile& profile, const decision::Context& context,
                           profile::Seconds now) const;
  [[nodiscard]] double count(const profile::Profile& profile, profile::Seconds now) const;

  Kind kind_ = Kind::all;
  std::vector<LiveRule> parts_ = {};    ///< Of all, any and none.
  decision::Targeting condition_ = {};  ///< Of context.
  profile::TopicKind topic_kind_ = profile::TopicKind::category;
  profile::Topic topic_ = 0;
  Counted counted_ = Counted::visits;
  std::uint8_t days_ = 0;  ///< 0: in all.
  double at_least_ = 0;    ///< Of topic and count.
  bool is_fewer_ = false;  ///< Than at_least_.
  Moment moment_ = Moment::last_seen;
  profile::Seconds within_ = 0;  ///< Of recency.
};

struct LiveSegment {
  std::string id;
  LiveRule rule;
};
/// By site; no more than kMostLiveSegments each.
using LiveSegments = std::map<std::string, std::vector<LiveSegment>, std::less<>>;

}  // namespace marquee::serving
