#include "targeting_definition.h"

#include <algorithm>
#include <array>
#include <bit>

#include "marquee/decision/request.h"

namespace marquee::decision {
namespace {

constexpr std::array<std::string_view, 7> kDays = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};
constexpr std::pair<std::string_view, Targeting::Kind> kJunctions[] = {
    {"all", Targeting::Kind::all}, {"any", Targeting::Kind::any}, {"not", Targeting::Kind::none}};
constexpr std::array<std::string_view, 3> kInterests = {"word:", "course:", "category:"};
constexpr std::size_t kMostDeepRule = 12, kMostConditions = 500, kMostValues = 1000;

bool is_of_interest(std::string_view value) {
  return std::ranges::any_of(kInterests, [&](std::string_view kind) { return value.starts_with(kind); });
}

/// Reads one rule.
class RuleReader {
 public:
  RuleReader(const std::string& zone, Fault& fault) : zone_(zone), fault_(fault) {}

  void read(const Json& json, const std::string& path, Targeting& rule, std::size_t depth = 0) {
    if (depth >= kMostDeepRule)
      return refuse(path, fmt::format("at most {} conditions within another are taken", kMostDeepRule));
    if (++conditions_ > kMostConditions)
      return refuse(path, fmt::format("at most {} conditions are taken", kMostConditions));
    ObjectReader in(json, path, fault_);
    if (!in.is_fine()) return;
    for (const auto& [word, kind] : kJunctions) {
      if (!json.contains(word)) continue;
      rule.kind = kind;
      return read_junction(in, word, rule, depth);
    }
    if (json.contains("within")) return read_within(in, rule);
    read_condition(in, json, path, rule);
  }

 private:
  void refuse(const std::string& path, const std::string& why) {
    if (!fault_) fault_ = Error::reject(fmt::format("{}: {}", path.empty() ? "targeting" : path, why));
  }

  void read_junction(ObjectReader& in, std::string_view word, Targeting& rule, std::size_t depth) {
    const auto part = [&](const Json& json, const std::string& path) {
      read(json, path, rule.parts.emplace_back(), depth + 1);
    };
    if (rule.kind == Targeting::Kind::none) {
      in.member(word, part).end();
      return;
    }
    in.each(word, kMostConditions, part);
    if (rule.parts.empty()) in.wrong(word, "expected at least one condition");
    in.end();
  }

  void read_within(ObjectReader& in, Targeting& rule) {
    rule.kind = Targeting::Kind::within;
    in.member("within", [&](const Json& json, const std::string& path) {
        read_day_part(json, path, zone_, rule.day_part, fault_);
      }).end();
  }

  void read_condition(ObjectReader& in, const Json& json, const std::string& path, Targeting& rule) {
    rule.kind = Targeting::Kind::is_in;
    const bool is_attribute = json.contains("attribute");
    if (!is_attribute && !json.contains("field"))
      return refuse(path, "expected one of all, any, not, within, field, attribute");
    if (is_attribute) {
      rule.field = Field::attribute;
      in.text("attribute", rule.name, {1, kMostOfId});
    } else {
      in.choice("field", rule.field);
      if (rule.field == Field::attribute)
        in.wrong("field", "an attribute is written {\"attribute\": NAME, \"in\": [...]}");
      if (!is_for_targeting(rule.field)) in.wrong("field", "this one is for the click model alone");
    }
    in.require("in").texts("in", rule.values, kMostValues, {1, kMostOfName});
    if (rule.values.empty()) in.wrong("in", "expected at least one value");
    if (rule.field == Field::interest && !std::ranges::all_of(rule.values, is_of_interest))
      in.wrong("in", fmt::format("expected an interest: one of {} before what it is in", fmt::join(kInterests, ", ")));
    in.end();
  }

  const std::string& zone_;
  Fault& fault_;
  std::size_t conditions_ = 0;
};

void read_clock_member(ObjectReader& in, std::string_view name, std::uint16_t& minute) {
  std::string text;
  if (!in.has(name) || !in.text(name, text, {}).is_fine()) return;
  const auto clock = read_clock(text);
  if (!clock) return in.wrong(name, "expected a time of day like 08:00");
  minute = *clock;
}

void read_days(ObjectReader& in, std::uint8_t& days) {
  if (!in.has("days")) return;
  days = 0;
  std::vector<std::string> words;
  in.texts("days", words, kDays.size(), {});
  for (const auto& word : words) {
    const auto day = std::ranges::find(kDays, word);
    if (day == kDays.end()) return in.wrong("days", fmt::format("expected some of {}", fmt::join(kDays, ", ")));
    days |= static_cast<std::uint8_t>(1U << (day - kDays.begin()));
  }
  if (static_cast<std::size_t>(std::popcount(days)) < words.size()) return in.wrong("days", "expected each day once");
  if (days == 0) in.wrong("days", "expected at least one day");
}

std::string clock_text(std::uint16_t minute) { return fmt::format("{:02}:{:02}", minute / 60, minute % 60); }

}  // namespace

void read_day_part(const Json& json, const std::string& path, const std::string& zone, DayPart& part, Fault& fault) {
  constexpr std::uint16_t kWholeDay = 1440;
  ObjectReader in(json, path, fault);
  part.zone = zone;
  read_days(in, part.days);
  read_clock_member(in, "from", part.from_minute);
  read_clock_member(in, "to", part.to_minute);
  if (part.from_minute == kWholeDay) in.wrong("from", "expected a time of day before 24:00");
  if (part.from_minute == part.to_minute)
    in.wrong("to", "expected another time than from; a whole day is 00:00 to 24:00");
  in.zone("zone", part.zone).end();
}

Json day_part_json(const DayPart& part) {
  Json days = Json::array();
  for (std::size_t day = 0; day < kDays.size(); ++day)
    if ((part.days >> day & 1U) != 0) days.push_back(kDays[day]);
  return {{"days", std::move(days)},
          {"from", clock_text(part.from_minute)},
          {"to", clock_text(part.to_minute)},
          {"zone", part.zone}};
}

void read_targeting(const Json& json, const std::string& path, const std::string& zone, Targeting& targeting,
                    Fault& fault) {
  if (json.is_object() && json.empty()) return;
  RuleReader(zone, fault).read(json, path, targeting);
}

Json targeting_json(const Targeting& targeting) {
  using Kind = Targeting::Kind;
  if (targeting.kind == Kind::everyone) return Json::object();
  if (targeting.kind == Kind::within) return {{"within", day_part_json(targeting.day_part)}};
  if (targeting.kind == Kind::none) return {{"not", targeting_json(targeting.parts.front())}};
  if (targeting.kind == Kind::is_in) {
    Json json = Json::object();
    if (targeting.field == Field::attribute) {
      json["attribute"] = targeting.name;
    } else {
      json["field"] = name(targeting.field);
    }
    json["in"] = targeting.values;
    return json;
  }
  Json parts = Json::array();
  for (const auto& part : targeting.parts) parts.push_back(targeting_json(part));
  return {{targeting.kind == Kind::all ? "all" : "any", std::move(parts)}};
}

}  // namespace marquee::decision
