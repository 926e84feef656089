#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "log_builder.h"
#include "policy.h"

namespace marquee::evaluation {
namespace {

using Json = nlohmann::json;
using PolicyResult = Result<std::unique_ptr<Policy>>;

// Deeper ones come from a program gone wrong, and would end this one by its stack.
constexpr int kMaxDepth = 16;
// So that no sum of weights is infinite.
constexpr double kGreatestWeight = 1e100;

bool is_weight(const Json& json) {
  return json.is_number() && json.get<double>() >= 0 && json.get<double>() <= kGreatestWeight;
}

Error wrong(const std::string& where, const std::string& what) {
  return Error::reject(fmt::format("{}: {}", where, what));
}

class PolicyReader {
 public:
  explicit PolicyReader(DecisionLog& log) : log_(log) {
    for (const auto& ad : log.ads) ads_.index(ad);
  }

  PolicyResult read(const Json& json, const std::string& where, int depth) {
    if (depth > kMaxDepth) return wrong(where, fmt::format("policies are nested deeper than {}", kMaxDepth));
    if (json == "uniform") return uniform_policy();
    if (json.is_object()) {
      if (json.contains("weights")) return read_weights(json, where);
      if (json.contains("probabilities")) return read_probabilities(json, where);
      if (json.contains("rules")) return read_rules(json, where, depth);
      if (json.contains("mix")) return read_mix(json, where, depth);
    }
    return wrong(where, "expected \"uniform\" or an object with \"weights\", \"probabilities\", \"rules\" or \"mix\"");
  }

 private:
  static Result<void> only(const Json& json, std::initializer_list<std::string_view> names, const std::string& where) {
    for (const auto& [name, value] : json.items())
      if (std::ranges::find(names, name) == names.end()) return wrong(where, fmt::format("unknown field \"{}\"", name));
    return {};
  }

  /// {"ad": number, ...} as a row over the log's ads, of which the others have `rest`.
  Result<std::vector<double>> read_row(const Json& json, double rest, const std::string& where) {
    if (!json.is_object()) return wrong(where, "expected an object of ads and numbers");
    std::vector<double> row(log_.ads.size(), rest);
    for (const auto& [ad, value] : json.items()) {
      if (!is_weight(value)) return wrong(where + "." + ad, "expected a number from 0 on");
      const auto index = ad_index(ad);
      if (index >= row.size()) row.resize(index + 1, rest);
      row[index] = value.get<double>();
    }
    if (std::ranges::none_of(row, [](double weight) { return weight > 0; }))
      return wrong(where, "no ad has any weight");
    return row;
  }

  /// Adds the ad to the log where it is new.
  std::uint32_t ad_index(const std::string& ad) {
    const auto index = ads_.index(ad);
    if (index == log_.ads.size()) log_.ads.push_back(ad);
    return index;
  }

  PolicyResult read_weights(const Json& json, const std::string& where) {
    if (const auto known = only(json, {"weights", "others"}, where); !known) return known.error();
    const auto others = json.contains("others") ? json["others"] : Json(0);
    if (!is_weight(others)) return wrong(where + ".others", "expected a number from 0 on");
    const auto row = read_row(json["weights"], others.get<double>(), where + ".weights");
    if (!row) return row.error();
    return weighted_policy(std::vector<std::vector<double>>(log_.positions.size(), *row));
  }

  PolicyResult read_probabilities(const Json& json, const std::string& where) {
    if (const auto known = only(json, {"probabilities"}, where); !known) return known.error();
    const auto& positions = json["probabilities"];
    if (!positions.is_object()) return wrong(where + ".probabilities", "expected an object of positions");
    std::vector<std::vector<double>> rows;
    for (const auto& position : log_.positions) {
      const auto found = positions.contains(position) ? positions.find(position) : positions.find("*");
      if (found == positions.end())
        return wrong(where + ".probabilities",
                     fmt::format("nothing for position {} of the log, nor for \"*\"", position));
      const auto name = fmt::format("{}.probabilities.{}", where, found.key());
      auto row = read_row(*found, 0, name);
      if (!row) return row.error();
      double total = 0;
      for (const double probability : *row) total += probability;
      if (std::abs(total - 1) > 1e-6) return wrong(name, fmt::format("sums to {}, not to 1", total));
      rows.push_back(std::move(*row));
    }
    return weighted_policy(std::move(rows));
  }

  PolicyResult read_rules(const Json& json, const std::string& where, int depth) {
    if (const auto known = only(json, {"rules", "otherwise"}, where); !known) return known.error();
    if (!json["rules"].is_array()) return wrong(where + ".rules", "expected a list");
    if (!json.contains("otherwise")) return wrong(where, "\"otherwise\" is missing: what holds where no rule does");
    std::vector<Rule> rules;
    for (const auto& one : json["rules"]) {
      const auto name = fmt::format("{}.rules[{}]", where, rules.size());
      if (!one.is_object() || !one.contains("when") || !one.contains("then"))
        return wrong(name, "expected an object with \"when\" and \"then\"");
      if (const auto known = only(one, {"when", "then"}, name); !known) return known.error();
      auto when = read_conditions(one["when"], name + ".when");
      if (!when) return when.error();
      auto then = read(one["then"], name + ".then", depth + 1);
      if (!then) return then.error();
      rules.push_back({std::move(*when), std::move(*then)});
    }
    auto otherwise = read(json["otherwise"], where + ".otherwise", depth + 1);
    if (!otherwise) return otherwise.error();
    return rules_policy(std::move(rules), std::move(*otherwise));
  }

  Result<std::vector<Condition>> read_conditions(const Json& json, const std::string& where) {
    if (!json.is_object()) return wrong(where, "expected an object of context fields");
    std::vector<Condition> conditions;
    for (const auto& [name, wanted] : json.items()) {
      const auto field = std::ranges::find(log_.context, name, &ContextField::name);
      // A name that is misspelled would otherwise be a rule that never holds.
      if (field == log_.context.end()) return wrong(where, fmt::format("the log has no context field \"{}\"", name));
      Condition condition{static_cast<std::size_t>(field - log_.context.begin()), {}};
      for (const auto& value : wanted.is_array() ? wanted : Json::array({wanted})) {
        const auto text = value.is_string() ? value.get<std::string>() : value.dump();
        const auto found = std::ranges::find(field->values, text);
        if (found != field->values.end())
          condition.codes.push_back(static_cast<std::uint32_t>(found - field->values.begin()));
      }
      conditions.push_back(std::move(condition));
    }
    return conditions;
  }

  PolicyResult read_mix(const Json& json, const std::string& where, int depth) {
    if (const auto known = only(json, {"mix"}, where); !known) return known.error();
    if (!json["mix"].is_array()) return wrong(where + ".mix", "expected a list");
    std::vector<Share> shares;
    double total = 0;
    for (const auto& one : json["mix"]) {
      const auto name = fmt::format("{}.mix[{}]", where, shares.size());
      if (!one.is_object() || !one.contains("policy") || !one.contains("share") || !is_weight(one["share"]))
        return wrong(name, "expected an object with \"share\", a number from 0 on, and \"policy\"");
      auto policy = read(one["policy"], name + ".policy", depth + 1);
      if (!policy) return policy;
      total += one["share"].get<double>();
      shares.push_back({one["share"].get<double>(), std::move(*policy)});
    }
    if (std::abs(total - 1) > 1e-6) return wrong(where + ".mix", fmt::format("the shares sum to {}, not to 1", total));
    return mixed_policy(std::move(shares));
  }

  DecisionLog& log_;
  Interned ads_;
};

}  // namespace

Result<std::unique_ptr<Policy>> read_policy(std::string_view json, DecisionLog& log) {
  const auto parsed = Json::parse(json, nullptr, false);
  if (parsed.is_discarded()) return Error::reject("the policy is not JSON");
  // The first reading makes every ad known that is named anywhere, so that "others" means all of them in the second.
  if (auto first = PolicyReader(log).read(parsed, "policy", 0); !first) return first;
  return PolicyReader(log).read(parsed, "policy", 0);
}

}  // namespace marquee::evaluation
