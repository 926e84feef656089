#include "segment_definition.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "funnel_answers.h"
#include "relative_times.h"

namespace marquee::api {
namespace {

using analytics::SegmentRule;
using Now = std::chrono::system_clock::time_point;

constexpr std::pair<const char*, SegmentRule::Kind> kJunctions[] = {
    {"all", SegmentRule::Kind::all}, {"any", SegmentRule::Kind::any}, {"not", SegmentRule::Kind::none}};
constexpr std::size_t kMostDeep = 20;  ///< Before it is looked at what is deep; analytics takes fewer.

Result<TimesMeant> times_of(const Json& body, Now now) {
  TimesAsked times;
  for (auto [name, time] : {std::pair("from", &times.from), {"to", &times.to}, {"last", &times.last}}) {
    auto text = text_of(body, name, "");
    if (!text) return text.error();
    *time = std::move(*text);
  }
  return range_of(times, now);
}

Result<SegmentRule> condition_of(const Json& body, Now now) {
  if (auto known = require_object(body, {"types", "filter", "at_least", "fewer_than", "from", "to", "last"}); !known)
    return known.error();
  SegmentRule rule;
  auto match = read_match(body);
  if (!match) return match.error();
  rule.condition.match = std::move(*match);
  const auto times = times_of(body, now);
  if (!times) return times.error();
  rule.condition.from_ms = times->from_ms;
  rule.condition.to_ms = times->to_ms;
  const auto least = body.find("at_least"), fewer = body.find("fewer_than");
  if (least != body.end() && fewer != body.end()) return Error::reject("at_least: not beside fewer_than");
  rule.condition.is_fewer = fewer != body.end();
  if (const auto count = rule.condition.is_fewer ? fewer : least; count != body.end()) {
    if (!count->is_number_unsigned()) return Error::reject("expected at_least or fewer_than to be a whole number");
    rule.condition.count = count->get<std::uint64_t>();
  }
  return rule;
}

/// {"all":[...]}, {"any":[...]}, {"not":...}, or a condition.
Result<SegmentRule> rule_of(const Json& body, Now now, std::size_t depth = 0) {
  if (depth > kMostDeep) return Error::reject("it is too deep");
  if (!body.is_object()) return Error::reject("expected an object");
  const auto junction = std::ranges::find_if(kJunctions, [&](const auto& one) { return body.contains(one.first); });
  if (junction == std::end(kJunctions)) return condition_of(body, now);
  if (auto known = require_object(body, {junction->first}); !known) return known.error();
  const Json& parts = body.at(junction->first);
  const bool is_not = junction->second == SegmentRule::Kind::none;
  if (!is_not && !parts.is_array()) return Error::reject(fmt::format("{}: expected a list", junction->first));
  SegmentRule rule{.kind = junction->second};
  for (const Json& part : is_not ? Json::array({parts}) : parts) {
    auto one = rule_of(part, now, depth + 1);
    if (!one) return one.error();
    rule.parts.push_back(std::move(*one));
  }
  return rule;
}

Result<analytics::FunnelRequest> funnel_of(const Json& body, const std::string& site, Now now) {
  if (auto known = check_funnel_members(body); !known) return known.error();
  const auto named = text_of(body, "site", site);
  if (!named) return named.error();
  if (*named != site) return Error::reject("site: expected that of the segment");
  auto funnel = read_funnel(body);
  if (!funnel) return funnel.error();
  const auto times = times_of(body, now);
  if (!times) return times.error();
  funnel->scope = {.site = site, .from_ms = times->from_ms, .to_ms = times->to_ms};
  funnel->compares_previous = false;
  return funnel;
}

Result<std::vector<std::uint64_t>> users_of(const Json& body) {
  if (!body.is_array()) return Error::reject("expected a list of keys");
  std::vector<std::uint64_t> users;
  for (const auto& one : body) {
    const auto text = one.is_string() ? one.get<std::string>() : std::string();
    std::uint64_t key = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), key, 16);
    if (text.size() != 16 || error != std::errc() || end != text.data() + text.size())
      return Error::reject(fmt::format("{}: expected a user's key, 16 hexadecimal digits", users.size() + 1));
    users.push_back(key);
  }
  return users;
}

/// The member that a definition of the kind has beside it.
Result<analytics::SegmentDefinition> read_kind(const std::string& kind, const Json& body, const std::string& site,
                                               Now now) {
  if (kind == "rule") return rule_of(body, now);
  if (kind == "drop_off") return funnel_of(body, site, now);
  return users_of(body);
}

}  // namespace

Result<analytics::SegmentDefinition> read_segment(const Json& definition, const std::string& site, Now now) {
  const auto refused = [](const Error& error) { return Error{error.action, "definition: " + error.message}; };
  if (!definition.is_object()) return refused(Error::reject("expected an object"));
  const auto kind = text_of(definition, "kind", std::nullopt);
  if (!kind) return refused(kind.error());
  constexpr std::pair<const char*, const char*> kMemberOfKind[] = {
      {"rule", "rule"}, {"drop_off", "funnel"}, {"list", "users"}};
  const auto member = std::ranges::find_if(kMemberOfKind, [&](const auto& one) { return *kind == one.first; });
  if (member == std::end(kMemberOfKind))
    return refused(Error::reject("kind: expected one of rule, drop_off, list, live"));
  if (auto known = require_object(definition, {"kind", member->second}); !known) return refused(known.error());
  if (!definition.contains(member->second)) return refused(Error::reject(fmt::format("{}: missing", member->second)));
  auto meant = read_kind(*kind, definition.at(member->second), site, now);
  if (!meant) return refused(Error{meant.error().action, fmt::format("{}: {}", member->second, meant.error().message)});
  if (auto checked = analytics::check(*meant); !checked) return refused(checked.error());
  return meant;
}

Result<bool> is_live(const Json& definition, const CheckRule& check) {
  const auto refused = [](const Error& error) { return Error{error.action, "definition: " + error.message}; };
  if (!definition.is_object() || definition.value("kind", Json()) != "live") return false;
  if (auto known = require_object(definition, {"kind", "rule"}); !known) return refused(known.error());
  if (!definition.contains("rule")) return refused(Error::reject("rule: missing"));
  if (auto checked = check(definition.at("rule").dump()); !checked) return refused(checked.error());
  return true;
}

Result<std::vector<analytics::SegmentVersion>> segments_of(const catalog::Catalog& catalog, const std::string& site) {
  const auto kept = catalog.segment_versions(site);
  if (!kept) return kept.error();
  std::vector<analytics::SegmentVersion> segments;
  for (const auto& [id, version] : *kept) segments.push_back({id, version});
  return segments;
}

}  // namespace marquee::api
