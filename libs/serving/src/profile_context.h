// What a profile tells a decision: fields of its context, which go to the model, to targeting, and to the decisions'
// log, so that who learns is told what was known then. Topics are hashes, as profiles keep them: "category:1f0c22aa".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "marquee/decision/request.h"
#include "marquee/profile/clusters.h"
#include "marquee/profile/profile.h"

namespace marquee::serving {

/// Adds the user's main interests (a course, two categories, two words of searches, each of a decayed count of at least
/// a half; those of three or so once more with "+" behind them), and how much of which campaigns and ads was seen.
/// `texts`, which is empty, keeps what the context borrows.
void describe_profile(const profile::Profile& profile, std::string& texts, decision::Context& context);

/// Adds the cluster that the user is in, if it has a name, as a segment: "cluster:law".
void describe_cluster(const profile::Profile& profile, const profile::NamedClusters& all, std::string& text,
                      decision::Context& context);

/// How much was seen lately, from the decayed count of impressions.
using SeenLevel = std::uint8_t;
inline constexpr SeenLevel kSeenLevels = 5;  ///< 1 to 4; 0 is not at all.

/// What a value of seen_campaign or seen_ad says: "1f0c22aa:3".
struct Seen {
  profile::Topic topic = 0;
  SeenLevel level = 0;
};
[[nodiscard]] std::optional<Seen> read_seen(std::string_view value);

/// The topic that profiles have for what somebody wrote: words are kept in lower case.
[[nodiscard]] profile::Topic topic_as_kept(profile::TopicKind kind, std::string text);

/// Topics of an ad, as profiles have what was seen.
struct AdTopics {
  AdTopics(std::string_view campaign_id, std::string_view ad_id);
  profile::Topic campaign, ad;
};

}  // namespace marquee::serving
