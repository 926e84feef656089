#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>

#include "marquee/base/config.h"
#include "marquee/notify/alert.h"

namespace marquee::notify {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::array kConditions = {std::string_view("below"), std::string_view("above"), std::string_view("fell"),
                                    std::string_view("rose"), std::string_view("stalled")};
constexpr std::array kNoData = {std::string_view("keep"), std::string_view("ok"), std::string_view("fire")};
constexpr std::array kVerdicts = {std::string_view("fine"), std::string_view("holds"), std::string_view("unclear"),
                                  std::string_view("no_data")};
constexpr std::array kEvents = {std::string_view("none"), std::string_view("firing"), std::string_view("resolved"),
                                std::string_view("reminder")};
constexpr std::array kAgainst = {std::string_view("period"), std::string_view("week")};
constexpr std::array kMembers = {
    std::string_view("site"),      std::string_view("metric"),    std::string_view("filter"),
    std::string_view("condition"), std::string_view("threshold"), std::string_view("window"),
    std::string_view("every"),     std::string_view("for"),       std::string_view("min_count"),
    std::string_view("no_data"),   std::string_view("remind"),    std::string_view("against")};

constexpr Millis kSecond(1'000);
constexpr Millis kDay(86'400'000);
constexpr int kMostChecks = 1000;

Error wrong_member(std::string_view name, std::string_view what) {
  return Error::reject(fmt::format("{}: {}", name, what));
}

/// Members of a rule, one after the other; the first that is wrong is what is said.
class Members {
 public:
  explicit Members(const Json& json) : json_(json) {}

  void text(const char* name, std::string& target) {
    const auto* found = find(name);
    if (found == nullptr) return;
    if (!found->is_string() || found->get_ref<const std::string&>().empty())
      return fail(wrong_member(name, "expected text"));
    target = *found;
  }
  template <std::size_t N, class Choice>
  void choice(const char* name, const std::array<std::string_view, N>& choices, Choice& target) {
    std::string chosen;
    text(name, chosen);
    if (chosen.empty()) return;
    const auto at = std::ranges::find(choices, chosen);
    if (at == choices.end())
      return fail(wrong_member(name, fmt::format("expected one of {}", fmt::join(choices, ", "))));
    target = static_cast<Choice>(at - choices.begin());
  }
  void span(const char* name, Millis least, Millis most, Millis& target) {
    std::string written;
    text(name, written);
    if (written.empty()) return;
    const auto read = config::parse_duration(written);
    const Millis value(read ? static_cast<std::int64_t>(std::min<std::uint64_t>(*read, 1ULL << 50)) : -1);
    if (value < least || value > most || value.count() % kSecond.count() != 0)
      return fail(wrong_member(name, fmt::format("expected a span of whole seconds like 5m, from {} to {}",
                                                 span_text(least), span_text(most))));
    target = value;
  }
  template <class Number>
  void number(const char* name, double least, double most, bool is_whole, Number& target) {
    const auto* found = find(name);
    if (found == nullptr) return;
    const double value = found->is_number() ? found->get<double>() : NAN;
    if (!(value >= least && value <= most) || (is_whole && !found->is_number_integer()))
      return fail(
          wrong_member(name, fmt::format("expected a {}number from {} to {}", is_whole ? "whole " : "", least, most)));
    target = static_cast<Number>(value);
  }
  void texts(const char* name, std::vector<std::string>& target) {
    const auto* found = find(name);
    if (found == nullptr) return;
    const bool is_list = found->is_array() && found->size() <= 20 &&
                         std::ranges::all_of(*found, [](const Json& one) { return one.is_string(); });
    if (!is_list) return fail(wrong_member(name, "expected a list of at most 20 texts"));
    target = found->get<std::vector<std::string>>();
  }
  void require(std::initializer_list<const char*> names) {
    for (const char* name : names)
      if (find(name) == nullptr) return fail(wrong_member(name, "missing"));
  }
  void fail(Error error) {
    if (!error_) error_ = std::move(error);
  }
  [[nodiscard]] const std::optional<Error>& error() const { return error_; }

 private:
  [[nodiscard]] const Json* find(const char* name) const {
    const auto found = json_.find(name);
    return found == json_.end() ? nullptr : &*found;
  }
  const Json& json_;
  std::optional<Error> error_;
};

Json kept_reading(const Reading& reading) {
  const auto or_null = [](const std::optional<double>& value) { return value ? Json(*value) : Json(nullptr); };
  return {{"value", or_null(reading.value)},
          {"low", or_null(reading.low)},
          {"high", or_null(reading.high)},
          {"count", reading.count},
          {"is_ratio", reading.is_ratio}};
}

Reading reading_of(const Json& json) {
  const auto number = [&](const char* name) {
    const auto found = json.find(name);
    return found == json.end() || !found->is_number() ? std::nullopt : std::optional(found->get<double>());
  };
  return {number("value"), number("low"), number("high"), number("count").value_or(0), json.value("is_ratio", false)};
}

}  // namespace

std::string_view name_of(Verdict verdict) { return kVerdicts[static_cast<std::size_t>(verdict)]; }
std::string_view name_of(AlertEvent event) { return kEvents[static_cast<std::size_t>(event)]; }

std::string span_text(Millis span) {
  struct Unit {
    std::int64_t ms;
    char name;
  };
  for (const auto& unit : {Unit{86'400'000, 'd'}, Unit{3'600'000, 'h'}, Unit{60'000, 'm'}})
    if (span.count() > 0 && span.count() % unit.ms == 0) return fmt::format("{}{}", span.count() / unit.ms, unit.name);
  return fmt::format("{}s", span.count() / 1'000);
}

Result<AlertRule> read_alert_rule(const std::string& text) {
  const Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return Error::reject("rule: expected an object");
  for (const auto& [name, value] : json.items())
    if (std::ranges::find(kMembers, name) == kMembers.end())
      return Error::reject(
          fmt::format("rule: there is no \"{}\"; there are {}", name.substr(0, 64), fmt::join(kMembers, ", ")));
  AlertRule rule;
  Members members(json);
  members.require({"site", "metric", "condition", "window", "every"});
  members.text("site", rule.site);
  members.text("metric", rule.metric);
  members.texts("filter", rule.filters);
  members.choice("condition", kConditions, rule.condition);
  if (rule.condition != Condition::stalled) members.require({"threshold"});
  members.number("threshold", 0, 1e15, false, rule.threshold);
  members.span("window", kSecond, 31 * kDay, rule.window);
  members.span("every", kSecond, kDay, rule.every);
  members.number("for", 1, kMostChecks, true, rule.checks);
  members.number("min_count", 0, 1e15, true, rule.minimum);
  members.choice("no_data", kNoData, rule.no_data);
  members.span("remind", Millis(0), 31 * kDay, rule.remind);
  members.choice("against", kAgainst, rule.compares_week_before);
  if (members.error()) return *members.error();
  if (rule.condition == Condition::fell && rule.threshold > 100)
    return wrong_member("threshold", "nothing falls by more than 100 percent");
  if (rule.remind.count() > 0 && rule.remind < rule.every) return wrong_member("remind", "expected no less than every");
  if (rule.compares_week_before && rule.window > 7 * kDay)
    return wrong_member("against", "a window of more than a week overlaps that of the week before");
  return rule;
}

std::string write_alert_rule(const AlertRule& rule) {
  return Json{{"site", rule.site},
              {"metric", rule.metric},
              {"filter", rule.filters},
              {"condition", kConditions[static_cast<std::size_t>(rule.condition)]},
              {"threshold", rule.threshold},
              {"window", span_text(rule.window)},
              {"every", span_text(rule.every)},
              {"for", rule.checks},
              {"min_count", rule.minimum},
              {"no_data", kNoData[static_cast<std::size_t>(rule.no_data)]},
              {"remind", span_text(rule.remind)},
              {"against", kAgainst[rule.compares_week_before ? 1 : 0]}}
      .dump();
}

AlertState read_alert_state(const std::string& text) {
  const Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return {};
  AlertState state;
  state.is_firing = json.value("is_firing", false);
  state.held = json.value("held", 0);
  state.since_ms = json.value("since_ms", std::int64_t{0});
  state.told_ms = json.value("told_ms", std::int64_t{0});
  state.checked_ms = json.value("checked_ms", std::int64_t{0});
  const auto verdict = std::ranges::find(kVerdicts, json.value("verdict", std::string("no_data")));
  if (verdict != kVerdicts.end()) state.verdict = static_cast<Verdict>(verdict - kVerdicts.begin());
  if (json.contains("now")) state.now = reading_of(json.at("now"));
  if (json.contains("before")) state.before = reading_of(json.at("before"));
  state.away_from_ms = json.value("away_from_ms", std::int64_t{0});
  state.away_until_ms = json.value("away_until_ms", std::int64_t{0});
  state.error = json.value("error", std::string());
  return state;
}

std::string write_alert_state(const AlertState& state) {
  Json json = {{"is_firing", state.is_firing},   {"held", state.held},
               {"since_ms", state.since_ms},     {"told_ms", state.told_ms},
               {"checked_ms", state.checked_ms}, {"verdict", name_of(state.verdict)},
               {"now", kept_reading(state.now)}, {"error", state.error}};
  if (state.before) json["before"] = kept_reading(*state.before);
  if (state.away_until_ms > 0) {
    json["away_from_ms"] = state.away_from_ms;
    json["away_until_ms"] = state.away_until_ms;
  }
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace marquee::notify
