#include "profile_context.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "marquee/profile/topics.h"
#include "marquee/serving/interest_targeting.h"

namespace marquee::serving {
namespace {

using decision::Field;
using profile::Seconds;
using profile::Topic;
using profile::TopicKind;

constexpr double kSome = 0.5, kStrong = 2.5;
constexpr std::array<double, kSeenLevels - 1> kSeenFrom = {0.5, 1.5, 3.5, 7.5};
constexpr std::size_t kTopicDigits = 8;
constexpr std::size_t kMostText = 1'024;  ///< More than all that is said of a profile.

struct MainInterests {
  TopicKind kind;
  std::size_t most;
};
constexpr std::array<MainInterests, 3> kMain = {
    {{TopicKind::category, 2}, {TopicKind::search_word, 2}, {TopicKind::course, 1}}};

std::string_view name_of(TopicKind kind) {
  switch (kind) {
    case TopicKind::search_word:
      return "word";
    case TopicKind::course:
      return "course";
    default:
      return "category";
  }
}

void append_topic(std::string& out, Topic topic) {
  for (std::size_t digit = kTopicDigits; digit-- > 0;) out += "0123456789abcdef"[topic >> (4 * digit) & 0xFU];
}

void append_interest(std::string& out, TopicKind kind, Topic topic, bool is_strong) {
  out.append(name_of(kind)) += ':';
  append_topic(out, topic);
  if (is_strong) out += '+';
}

class Describer {
 public:
  Describer(const profile::Profile& profile, std::string& texts, decision::Context& context)
      : profile_(profile),
        texts_(texts),
        context_(context),
        // A time before the last event (a server may ask for one) would make counts grow.
        now_(std::max(static_cast<Seconds>(context.time_ms / 1'000), profile.last_seen())) {
    texts_.reserve(kMostText);  // So that it stays where it is.
  }

  void add_interests() {
    for (const auto& wanted : kMain) {
      const auto kind = wanted.kind;
      const auto all = profile_.interests(kind, now_);
      for (std::size_t i = 0; i < std::min(wanted.most, all.size()) && all[i].weight >= kSome; ++i) {
        for (const bool is_strong : {false, true})
          if (!is_strong || all[i].weight >= kStrong)
            add(Field::interest, [&] { append_interest(texts_, kind, all[i].topic, is_strong); });
      }
    }
  }

  void add_seen(Field field, TopicKind kind) {
    for (const auto& one : profile_.interests(kind, now_))
      if (const auto level = std::ranges::upper_bound(kSeenFrom, one.weight) - kSeenFrom.begin(); level > 0)
        add(field, [&] {
          append_topic(texts_, one.topic);
          texts_.append(":") += static_cast<char>('0' + level);
        });
  }

 private:
  template <class Append>
  void add(Field field, Append append) {
    const std::size_t begin = texts_.size();
    append();
    context_.add(field, std::string_view(texts_).substr(begin));
  }

  const profile::Profile& profile_;
  std::string& texts_;
  decision::Context& context_;
  const Seconds now_;
};

/// The same of a rule's value, which is a text; nullopt where it is no interest.
std::optional<std::string> hashed(std::string_view value) {
  const bool is_strong = value.ends_with('+');
  if (is_strong) value.remove_suffix(1);
  for (const auto& [kind, most] : kMain) {
    const auto name = name_of(kind);
    if (!value.starts_with(name) || value.substr(name.size(), 1) != ":") continue;
    std::string known;
    append_interest(known, kind, topic_as_kept(kind, std::string(value.substr(name.size() + 1))), is_strong);
    return known;
  }
  return std::nullopt;
}

}  // namespace

profile::Topic topic_as_kept(TopicKind kind, std::string text) {
  if (kind == TopicKind::search_word)
    for (auto& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
  return profile::topic_of(kind, text);
}

void describe_profile(const profile::Profile& profile, std::string& texts, decision::Context& context) {
  Describer describe(profile, texts, context);
  describe.add_interests();
  describe.add_seen(Field::seen_campaign, TopicKind::campaign_seen);
  describe.add_seen(Field::seen_ad, TopicKind::ad_seen);
}

void describe_cluster(const profile::Profile& profile, const profile::NamedClusters& all, std::string& text,
                      decision::Context& context) {
  const auto cluster = all.clusters.of(profile, static_cast<Seconds>(context.time_ms / 1'000));
  if (!cluster || all.names[*cluster].empty()) return;
  text = std::string(kClusterPrefix) + all.names[*cluster];
  context.add(Field::segment, text);
}

std::optional<Seen> read_seen(std::string_view value) {
  Seen seen;
  if (value.size() != kTopicDigits + 2 || value[kTopicDigits] != ':') return std::nullopt;
  const auto end = value.data() + kTopicDigits;
  if (std::from_chars(value.data(), end, seen.topic, 16).ptr != end) return std::nullopt;
  seen.level = static_cast<SeenLevel>(value.back() - '0');
  return seen.level > 0 && seen.level < kSeenLevels ? std::optional(seen) : std::nullopt;
}

AdTopics::AdTopics(std::string_view campaign_id, std::string_view ad_id)
    : campaign(profile::topic_of(TopicKind::campaign_seen, campaign_id)),
      ad(profile::topic_of(TopicKind::ad_seen, ad_id)) {}

void read_interests(decision::Targeting& targeting) {
  if (targeting.kind == decision::Targeting::Kind::is_in && targeting.field == Field::interest)
    for (auto& value : targeting.values)
      if (auto text = hashed(value)) value = std::move(*text);
  for (auto& part : targeting.parts) read_interests(part);
}

}  // namespace marquee::serving
