#include "marquee/serving/live_segments.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "marquee/decision/definition.h"
#include "marquee/decision/targeting.h"
#include "marquee/serving/interest_targeting.h"
#include "profile_context.h"

namespace marquee::serving {

using decision::Field;
using profile::Seconds;
using profile::TopicKind;
using Json = nlohmann::ordered_json;

namespace {

constexpr double kSomeInterest = 0.5, kMostCount = 1e6;
constexpr std::size_t kMostDeep = 12, kMostConditions = 100, kMostBytes = 20'000, kMostOfTopic = 200;
constexpr std::uint64_t kMostDays = profile::kDays;
constexpr std::pair<std::string_view, TopicKind> kTopicKinds[] = {{"word", TopicKind::search_word},
                                                                  {"course", TopicKind::course},
                                                                  {"category", TopicKind::category},
                                                                  {"page", TopicKind::page},
                                                                  {"campaign_seen", TopicKind::campaign_seen},
                                                                  {"campaign_clicked", TopicKind::campaign_clicked},
                                                                  {"ad_seen", TopicKind::ad_seen},
                                                                  {"ad_clicked", TopicKind::ad_clicked}};

}  // namespace

/// Reads one rule; what is wrong first is `error`.
class LiveRuleReader {
 public:
  std::optional<Error> error;

  void read(const Json& json, const std::string& path, LiveRule& rule, std::size_t depth = 0) {
    if (error) return;
    if (depth >= kMostDeep)
      return wrong(path, fmt::format("at most {} conditions within another are taken", kMostDeep));
    if (++conditions_ > kMostConditions)
      return wrong(path, fmt::format("at most {} conditions are taken", kMostConditions));
    if (!json.is_object()) return wrong(path, "expected an object");
    constexpr std::pair<const char*, LiveRule::Kind> kJunctions[] = {
        {"all", LiveRule::Kind::all}, {"any", LiveRule::Kind::any}, {"not", LiveRule::Kind::none}};
    for (const auto& [word, kind] : kJunctions) {
      if (!json.contains(word)) continue;
      rule.kind_ = kind;
      return read_junction(json, word, path, rule, depth);
    }
    if (json.contains("profile")) return read_profile(json, path, rule);
    read_context(json, path, rule);
  }

 private:
  void wrong(const std::string& path, std::string_view why) {
    if (!error) error = Error::reject(fmt::format("{}: {}", path, why));
  }

  void only(const Json& json, const std::string& path, std::initializer_list<std::string_view> known) {
    for (const auto& [name, value] : json.items())
      if (std::ranges::find(known, name) == known.end())
        return wrong(path + "." + name, "there is no such member here");
  }

  void read_junction(const Json& json, const char* word, const std::string& path, LiveRule& rule, std::size_t depth) {
    only(json, path, {word});
    const auto inside = path + "." + word;
    const auto& parts = json.at(word);
    if (rule.kind_ == LiveRule::Kind::none) return read(parts, inside, rule.parts_.emplace_back(), depth + 1);
    if (!parts.is_array() || parts.empty()) return wrong(inside, "expected a list of at least one condition");
    for (std::size_t i = 0; i < parts.size(); ++i)
      read(parts[i], fmt::format("{}[{}]", inside, i), rule.parts_.emplace_back(), depth + 1);
  }

  /// What a request says of its user.
  void read_context(const Json& json, const std::string& path, LiveRule& rule) {
    auto condition = decision::read_targeting(json.dump());
    if (!condition) return wrong(path, condition.error().message);
    using Kind = decision::Targeting::Kind;
    if (condition->kind != Kind::is_in || !decision::is_personal(condition->field) ||
        condition->field == Field::segment)
      return wrong(path, "a live segment is of users: where, when and other segments are the campaign's to ask");
    read_interests(*condition);
    rule.kind_ = LiveRule::Kind::context;
    rule.condition_ = std::move(*condition);
  }

  void read_profile(const Json& json, const std::string& path, LiveRule& rule) {
    if (!json.at("profile").is_string()) return wrong(path + ".profile", "expected text");
    const auto what = json.at("profile").get<std::string>();
    if (const auto colon = what.find(':'); colon != std::string::npos) return read_topic(json, path, what, colon, rule);
    constexpr std::pair<std::string_view, LiveRule::Moment> kMoments[] = {
        {"first_seen", LiveRule::Moment::first_seen},
        {"last_seen", LiveRule::Moment::last_seen},
        {"last_impression", LiveRule::Moment::last_impression},
        {"last_click", LiveRule::Moment::last_click}};
    for (const auto& [name, moment] : kMoments) {
      if (name != what) continue;
      only(json, path, {"profile", "within"});
      const auto span = json.contains("within") && json.at("within").is_string()
                            ? decision::read_span(json.at("within").get<std::string>())
                            : std::nullopt;
      if (!span) return wrong(path + ".within", "expected a span from 1s to 366d, like 24h");
      rule.kind_ = LiveRule::Kind::recency;
      rule.moment_ = moment;
      rule.within_ = static_cast<Seconds>(*span / 1'000);
      return;
    }
    read_count(json, path, what, rule);
  }

  void read_topic(const Json& json, const std::string& path, const std::string& what, std::size_t colon,
                  LiveRule& rule) {
    const auto kind = std::ranges::find(kTopicKinds, std::string_view(what).substr(0, colon),
                                        [](const auto& one) { return one.first; });
    const auto text = what.substr(colon + 1);
    if (kind == std::end(kTopicKinds) || text.empty() || text.size() > kMostOfTopic)
      return wrong(path + ".profile",
                   "expected word:, course:, category:, page:, campaign_seen:, campaign_clicked:, ad_seen: or "
                   "ad_clicked: before what it is of");
    only(json, path, {"profile", "at_least", "fewer_than"});
    rule.kind_ = LiveRule::Kind::topic;
    rule.topic_kind_ = kind->second;
    rule.topic_ = topic_as_kept(kind->second, text);
    read_bound(json, path, kSomeInterest, /*is_whole=*/false, rule);
  }

  void read_count(const Json& json, const std::string& path, const std::string& what, LiveRule& rule) {
    constexpr std::pair<std::string_view, LiveRule::Counted> kCounted[] = {
        {"visits", LiveRule::Counted::visits},
        {"impressions", LiveRule::Counted::impressions},
        {"clicks", LiveRule::Counted::clicks}};
    const auto counted = std::ranges::find(kCounted, what, [](const auto& one) { return one.first; });
    if (counted == std::end(kCounted))
      return wrong(path + ".profile",
                   "expected an interest like category:law, or one of visits, impressions, clicks, first_seen, "
                   "last_seen, last_impression, last_click");
    rule.kind_ = LiveRule::Kind::count;
    rule.counted_ = counted->second;
    only(json, path, {"profile", "at_least", "fewer_than", "days"});
    if (const auto days = json.find("days"); days != json.end()) {
      if (counted->second == LiveRule::Counted::visits)
        return wrong(path + ".days", "visits are known in all, not by day");
      if (!days->is_number_unsigned() || days->get<std::uint64_t>() < 1 || days->get<std::uint64_t>() > kMostDays)
        return wrong(path + ".days", fmt::format("expected a whole number from 1 to {}", kMostDays));
      rule.days_ = days->get<std::uint8_t>();
    }
    read_bound(json, path, 1, /*is_whole=*/true, rule);
  }

  void read_bound(const Json& json, const std::string& path, double otherwise, bool is_whole, LiveRule& rule) {
    rule.at_least_ = otherwise;
    rule.is_fewer_ = json.contains("fewer_than");
    if (rule.is_fewer_ && json.contains("at_least")) return wrong(path + ".at_least", "not beside fewer_than");
    const auto* name = rule.is_fewer_ ? "fewer_than" : "at_least";
    const auto bound = json.find(name);
    if (bound == json.end()) return;
    const double value = bound->is_number() ? bound->get<double>() : 0;
    if (!(value > 0) || value > kMostCount || (is_whole && !bound->is_number_unsigned()))
      return wrong(fmt::format("{}.{}", path, name),
                   is_whole ? "expected a whole number above 0" : "expected a number above 0");
    rule.at_least_ = value;
  }

  std::size_t conditions_ = 0;
};

Result<LiveRule> LiveRule::read(std::string_view json) {
  if (json.size() > kMostBytes) return Error::reject(fmt::format("rule: at most {} bytes are taken", kMostBytes));
  const auto body = Json::parse(json, nullptr, /*allow_exceptions=*/false);
  if (body.is_discarded()) return Error::reject("rule: expected JSON");
  LiveRuleReader reader;
  LiveRule rule;
  reader.read(body, "rule", rule);
  if (reader.error) return *reader.error;
  return rule;
}

bool LiveRule::holds(const profile::Profile& profile, const decision::Context& context) const {
  // A time before the last event (a server may ask for one) would make counts grow.
  return holds(profile, context, std::max(static_cast<Seconds>(context.time_ms / 1'000), profile.last_seen()));
}

bool LiveRule::holds(const profile::Profile& profile, const decision::Context& context, Seconds now) const {
  const auto part = [&](const LiveRule& one) { return one.holds(profile, context, now); };
  switch (kind_) {
    case Kind::all:
      return std::ranges::all_of(parts_, part);
    case Kind::any:
      return std::ranges::any_of(parts_, part);
    case Kind::none:
      return std::ranges::none_of(parts_, part);
    case Kind::context:
      return decision::holds(condition_, context, {});
    case Kind::topic:
      return (profile.weight(topic_kind_, topic_, now) >= at_least_) != is_fewer_;
    case Kind::count:
      return (count(profile, now) >= at_least_) != is_fewer_;
    case Kind::recency: {
      const std::array<Seconds, 4> moments = {profile.first_seen(), profile.last_seen(), profile.last_impression(),
                                              profile.last_click()};
      const auto moment = moments[static_cast<std::size_t>(moment_)];
      return moment != 0 && (moment >= now || now - moment <= within_);
    }
  }
  return false;
}

double LiveRule::count(const profile::Profile& profile, Seconds now) const {
  switch (counted_) {
    case Counted::visits:
      return profile.visits();
    case Counted::impressions:
      return days_ == 0 ? profile.impressions() : profile.impressions(days_, now);
    case Counted::clicks:
      return days_ == 0 ? profile.clicks() : profile.clicks(days_, now);
  }
  return 0;
}

}  // namespace marquee::serving
