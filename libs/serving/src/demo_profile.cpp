#include "demo_profile.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "marquee/base/json_text.h"

namespace marquee::serving {
namespace {

namespace dom = simdjson::dom;
using profile::Seconds;
using profile::Topic;
using profile::TopicKind;

constexpr std::size_t kLongestDemoText = 256, kMostNames = 1'000;
constexpr double kLeastWeight = 0.01;  ///< Less is as good as forgotten.

struct NamedKind {
  std::string_view name;
  TopicKind kind;
};
/// Of one name all kinds have the same topics: what was seen and what was clicked.
constexpr std::array<NamedKind, 6> kKinds = {{{"category", TopicKind::category},
                                              {"course", TopicKind::course},
                                              {"word", TopicKind::search_word},
                                              {"page", TopicKind::page},
                                              {"campaign", TopicKind::campaign_seen},
                                              {"ad", TopicKind::ad_seen}}};

std::uint64_t key_of(TopicKind kind, Topic topic) {
  if (kind == TopicKind::campaign_clicked) kind = TopicKind::campaign_seen;
  if (kind == TopicKind::ad_clicked) kind = TopicKind::ad_seen;
  return static_cast<std::uint64_t>(kind) << 32 | topic;
}

Error wrong(std::string_view field, std::string_view why) { return Error::reject(fmt::format("{}: {}", field, why)); }

Result<void> read_names(dom::object names, DemoAsked& asked) {
  for (const auto& [name, value] : names) {
    const auto* const known = std::ranges::find(kKinds, name, &NamedKind::name);
    if (known == kKinds.end()) return wrong(name, "there is no such kind of names");
    dom::array texts;
    if (value.get(texts) != simdjson::SUCCESS || texts.size() > kMostNames)
      return wrong(name, fmt::format("expected a list of at most {} texts", kMostNames));
    for (const auto one : texts) {
      std::string_view text;
      if (one.get(text) != simdjson::SUCCESS || text.empty() || text.size() > kLongestDemoText)
        return wrong(name, fmt::format("expected texts of 1 to {} bytes", kLongestDemoText));
      asked.names.try_emplace(key_of(known->kind, profile::topic_of(known->kind, text)), text);
    }
  }
  return {};
}

Result<void> read_permission(dom::object root, DemoAsked& asked) {
  dom::element value;
  std::string_view text;
  if (root["consent"].get(value) == simdjson::SUCCESS) {
    if (value.get(text) != simdjson::SUCCESS) return wrong("consent", "expected a text");
    if (text == "full") asked.consent = event::Consent::full;
  }
  std::int64_t age = 0;
  if (root["age"].get(value) == simdjson::SUCCESS) {
    if (value.get(age) != simdjson::SUCCESS || age < 0 || age > 130)
      return wrong("age", "expected a whole number from 0 to 130");
    asked.age = static_cast<std::uint32_t>(age);
  }
  return {};
}

/// As a list of {name, weight}, heaviest first; counts what has no name.
std::string list_of(const profile::Profile& profile, TopicKind kind, const DemoAsked& asked, Seconds now,
                    std::size_t& unnamed) {
  std::string out = "[";
  for (const auto& one : profile.interests(kind, now)) {
    if (one.weight < kLeastWeight) continue;
    const auto name = asked.names.find(key_of(kind, one.topic));
    if (name == asked.names.end()) {
      ++unnamed;
      continue;
    }
    if (out.size() > 1) out += ',';
    JsonObject object(out);
    object.text("name", name->second).raw("weight", fmt::format("{:.2f}", one.weight)).end();
  }
  return out += ']';
}

}  // namespace

Result<DemoAsked> read_demo_asked(std::string_view body) {
  thread_local dom::parser parser;
  dom::object root;
  if (parser.parse(body.data(), body.size()).get(root) != simdjson::SUCCESS)
    return Error::reject("the body is no JSON object");
  DemoAsked asked;
  std::string_view user;
  if (root["user_id"].get(user) != simdjson::SUCCESS || user.empty() || user.size() > kLongestDemoText)
    return wrong("user_id", "expected the id of a student of a visit");
  asked.user_id = user;
  if (auto done = read_permission(root, asked); !done) return done.error();
  dom::element value;
  dom::object names;
  if (root["names"].get(value) == simdjson::SUCCESS) {
    if (value.get(names) != simdjson::SUCCESS) return wrong("names", "expected an object of lists");
    if (auto done = read_names(names, asked); !done) return done.error();
  }
  return asked;
}

std::string write_demo_profile(const profile::Profile& profile, const DemoAsked& asked, Seconds now) {
  now = std::max(now, profile.last_seen());  // A time before the last event would make counts grow.
  std::string out;
  std::size_t unnamed = 0;
  const auto list = [&](TopicKind kind) { return list_of(profile, kind, asked, now, unnamed); };
  JsonObject object(out);
  object.number("first_seen", profile.first_seen()).number("last_seen", profile.last_seen());
  object.number("visits", profile.visits());
  object.number("impressions", profile.impressions()).number("clicks", profile.clicks());
  object.number("impressions_today", profile.impressions(1, now)).number("clicks_today", profile.clicks(1, now));
  object.raw("categories", list(TopicKind::category)).raw("courses", list(TopicKind::course));
  object.raw("words", list(TopicKind::search_word)).raw("pages", list(TopicKind::page));
  object.raw("campaigns_seen", list(TopicKind::campaign_seen)).raw("ads_seen", list(TopicKind::ad_seen));
  object.raw("campaigns_clicked", list(TopicKind::campaign_clicked)).raw("ads_clicked", list(TopicKind::ad_clicked));
  object.number("unnamed", static_cast<std::int64_t>(unnamed)).end();
  return out;
}

}  // namespace marquee::serving
