#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "log_builder.h"
#include "marquee/evaluation/read_decisions.h"

namespace marquee::evaluation {
namespace {

using Json = nlohmann::json;

std::string text_of(const Json& value) { return value.is_string() ? value.get<std::string>() : value.dump(); }

Result<std::optional<double>> number(const Json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end() || found->is_null()) return std::optional<double>();
  if (!found->is_number()) return Error::reject(fmt::format("{}: expected a number", name));
  return std::optional(found->get<double>());
}

/// Ids and positions may be written as numbers.
Result<std::string> id(const Json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end() || !(found->is_string() || found->is_number()))
    return Error::reject(fmt::format("{}: expected text or a number", name));
  return text_of(*found);
}

Result<void> add_candidates(const Json& candidates, LogBuilder& builder) {
  if (!candidates.is_array()) return Error::reject("candidates: expected a list");
  for (const auto& candidate : candidates) {
    if (!candidate.is_object()) return Error::reject("candidates: expected objects");
    const auto ad = id(candidate, "ad_id");
    if (!ad) return ad.error();
    const auto propensity = number(candidate, "propensity");
    if (!propensity) return propensity.error();
    if (!*propensity) return Error::reject("candidates: propensity is missing");
    const auto target = number(candidate, "target");
    if (!target) return target.error();
    if (auto added = builder.add_candidate(*ad, **propensity, *target); !added) return added;
  }
  return {};
}

Result<void> add_line(std::string_view line, LogBuilder& builder) {
  const auto decision = Json::parse(line, nullptr, false);
  if (!decision.is_object()) return Error::reject("expected a JSON object");
  if (decision.contains("candidates"))
    if (auto added = add_candidates(decision["candidates"], builder); !added) return added;
  if (const auto context = decision.find("context"); context != decision.end()) {
    if (!context->is_object()) return Error::reject("context: expected an object");
    for (const auto& [name, value] : context->items())
      if (!value.is_null()) builder.add_context(name, text_of(value));
  }
  const auto ad = id(decision, "ad_id");
  if (!ad) return ad.error();
  const auto position = decision.contains("position") ? id(decision, "position") : Result<std::string>("1");
  if (!position) return position.error();
  const auto reward = number(decision, "reward");
  if (!reward) return reward.error();
  if (!*reward) return Error::reject("reward: is missing");
  const auto propensity = number(decision, "propensity");
  if (!propensity) return propensity.error();
  return builder.add(*ad, *position, **reward, *propensity);
}

}  // namespace

Result<DecisionLog> read_decision_lines(const NextRow& next) {
  LogBuilder builder;
  TextRow row;
  for (;;) {
    const auto has_row = next(row);
    if (!has_row) return has_row.error();
    if (!*has_row) return builder.finish();
    if (const auto added = add_line(row.fields.front(), builder); !added)
      return Error::reject(fmt::format("line {}: {}", row.line, added.error().message));
  }
}

}  // namespace marquee::evaluation
