// marquee evaluate: what a policy would have earned, from the decisions of another.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "commands.h"
#include "decisions.h"
#include "evaluate_input.h"
#include "evaluate_site.h"
#include "format_option.h"
#include "marquee/evaluation/evaluation.h"
#include "text_table.h"

namespace marquee::app {
namespace {

using Json = nlohmann::ordered_json;
using evaluation::DecisionLog;
using evaluation::Evaluation;

constexpr int kRefused = 2;

struct EvaluateArguments {
  std::string log;
  SiteLog site;
  PolicyChoice policy;
  std::string dump;
  std::string format = "table";
  evaluation::Options options;
  bool is_forced = false;
};

Json json_of(const evaluation::Estimate& estimate, bool is_trusted) {
  Json json = {{"estimator", evaluation::name_of(estimate.estimator)},
               {"value", estimate.value},
               {"standard_error", estimate.standard_error},
               {"low", estimate.normal.low},
               {"high", estimate.normal.high}};
  if (estimate.bootstrap) {
    json["bootstrap_low"] = estimate.bootstrap->low;
    json["bootstrap_high"] = estimate.bootstrap->high;
  }
  if (estimate.weights) {
    json["effective_decisions"] = estimate.weights->effective_decisions;
    json["max_weight"] = estimate.weights->max;
    json["max_weight_share"] = estimate.weights->max_share;
  }
  json["trusted"] = is_trusted;
  return json;
}

Json json_of(const EvaluateArguments& arguments, const DecisionLog& log, const Evaluation& result) {
  const bool is_trusted = result.refusals.empty();
  const auto& weights = result.weights;
  Json json = {{"log", arguments.log.empty() ? arguments.site.site : arguments.log},
               {"policy", arguments.policy.policy},
               {"trusted", is_trusted},
               {"refusals", result.refusals},
               {"cautions", result.cautions},
               {"decisions", log.size()},
               {"ads", log.ads.size()},
               {"positions", log.positions.size()},
               {"logged_value", result.logged_value},
               {"logged_standard_error", result.logged_error},
               {"least_propensity", result.least_propensity},
               {"greatest_propensity", result.greatest_propensity},
               {"mean_weight", weights.mean},
               {"mean_weight_standard_error", weights.mean_error},
               {"effective_decisions", weights.effective_decisions},
               {"effective_rewarded", result.effective_rewarded},
               {"max_weight", weights.max},
               {"max_weight_share", weights.max_share},
               {"model_miss", result.model_miss},
               {"model_miss_standard_error", result.model_miss_error},
               {"unsupported", result.unsupported},
               {"clip", result.clip},
               {"switch_at", result.switch_at}};
  json["estimates"] = nullptr;
  if (!is_trusted && !arguments.is_forced) return json;
  json["estimates"] = Json::array();
  for (const auto& estimate : result.estimates) {
    const bool is_contradicted = estimate.estimator == evaluation::Estimator::dm && is_model_contradicted(result);
    json["estimates"].push_back(json_of(estimate, is_trusted && !is_contradicted));
  }
  return json;
}

std::string short_number(double value) { return fmt::format("{:.4g}", value); }

void print_estimates(const Evaluation& result) {
  const bool has_bootstrap = result.estimates.front().bootstrap.has_value();
  Row header = {"estimator", "value", "std. error", "low", "high"};
  if (has_bootstrap) header.insert(header.end(), {"bootstrap low", "high"});
  header.insert(header.end(), {"effective", "max weight", "its share"});
  std::vector<Row> rows = {std::move(header)};
  for (const auto& one : result.estimates) {
    Row row = {std::string(evaluation::name_of(one.estimator)), short_number(one.value),
               short_number(one.standard_error), short_number(one.normal.low), short_number(one.normal.high)};
    if (has_bootstrap) {
      row.push_back(one.bootstrap ? short_number(one.bootstrap->low) : "");
      row.push_back(one.bootstrap ? short_number(one.bootstrap->high) : "");
    }
    row.push_back(one.weights ? short_number(one.weights->effective_decisions) : "");
    row.push_back(one.weights ? short_number(one.weights->max) : "");
    row.push_back(one.weights ? fmt::format("{:.2f} %", one.weights->max_share * 100) : "");
    rows.push_back(std::move(row));
  }
  fmt::print("\n");
  print_table(rows, has_bootstrap ? "lrrrrrrrrr" : "lrrrrrrr");
}

void print_report(const EvaluateArguments& arguments, const DecisionLog& log, const Evaluation& result) {
  const auto& weights = result.weights;
  const bool is_trusted = result.refusals.empty();
  print_table(
      {{"policy", arguments.policy.policy},
       {"decisions", fmt::format("{} of {} ads at {} positions", log.size(), log.ads.size(), log.positions.size())},
       {"logged value", fmt::format("{:.4g} -+ {:.2g}", result.logged_value, result.logged_error)},
       {"propensities", fmt::format("{:.3g} to {:.3g}", result.least_propensity, result.greatest_propensity)},
       {"mean weight", fmt::format("{:.4g} -+ {:.2g} (1 is right)", weights.mean, weights.mean_error)},
       {"effective decisions",
        fmt::format("{:.4g}, rewarded {:.3g}", weights.effective_decisions, result.effective_rewarded)},
       {"largest weight", fmt::format("{:.4g}, {:.2f} % of all", weights.max, weights.max_share * 100)},
       {"unsupported", fmt::format("{:.2f} % of the policy", result.unsupported * 100)},
       {"clip, switch at", fmt::format("{:.4g}, {:.4g}", result.clip, result.switch_at)}},
      "ll");
  if (is_trusted || arguments.is_forced) print_estimates(result);
  for (const auto& caution : result.cautions) fmt::print("\ncaution: {}\n", caution);
  if (is_trusted) return;
  fmt::print("\n{}\n", arguments.is_forced ? "UNTRUSTED: these estimates are shown because of --force, and mean little:"
                                           : "REFUSED: no estimate of this policy from this log can be trusted:");
  for (const auto& refusal : result.refusals) fmt::print("  - {}\n", refusal);
}

/// What of a site's decisions is not as it is in other logs.
void add_cautions(const SiteDecisions& decisions, Evaluation& result) {
  if (decisions.unseen > 0)
    result.cautions.push_back(fmt::format("{} decisions are left out: their ad was not shown", decisions.unseen));
  if (decisions.bound > 0)
    result.cautions.push_back(
        fmt::format("{} placements had an ad that came with another's: their clicks count for that decision, and so "
                    "they would for any other ad",
                    decisions.bound));
  if (decisions.learned > 0)
    result.cautions.push_back(fmt::format(
        "the model has learned from {} of the decisions that judge it: take later ones (--from)", decisions.learned));
}

/// A model's choices are in the log itself, and so it is the policy "target".
Result<SiteDecisions> read_site(const App& app, EvaluateArguments& arguments) {
  constexpr std::string_view kFile = "model:";
  auto& policy = arguments.policy.policy;
  if (policy == "model") arguments.site.model = model_path(app.settings());
  if (policy.starts_with(kFile)) arguments.site.model = policy.substr(kFile.size());
  return read_site_decisions(app, arguments.site);
}

int run_evaluate(const App& app, EvaluateArguments arguments) {
  if (arguments.log.empty() == arguments.site.site.empty())
    return fail(Error::reject("name a file of decisions, or a site (--site)"));
  SiteDecisions decisions;
  if (arguments.log.empty()) {
    auto read = read_site(app, arguments);
    if (!read) return fail(read.error());
    decisions = std::move(*read);
  } else {
    auto read = read_decision_file(arguments.log);
    if (!read) return fail(read.error());
    decisions.log = std::move(*read);
  }
  auto* log = &decisions.log;
  const auto chosen = arguments.site.model.empty()
                          ? choose_policy(arguments.policy, arguments.log, *log)
                          : Result<std::unique_ptr<evaluation::Policy>>(evaluation::logged_target_policy());
  if (!chosen) return fail(chosen.error());
  auto result = evaluation::evaluate(*log, **chosen, arguments.options);
  if (!result) return fail(result.error());
  add_cautions(decisions, *result);
  if (!arguments.dump.empty())
    if (const auto written = evaluation::write_dump(arguments.dump, *log, *result); !written)
      return fail(written.error());
  if (arguments.format == "json")
    fmt::print("{}\n", json_of(arguments, *log, *result).dump(2, ' ', false, Json::error_handler_t::replace));
  else
    print_report(arguments, *log, *result);
  return result->refusals.empty() || arguments.is_forced ? 0 : kRefused;
}

}  // namespace

void add_evaluate_command(CLI::App& root, App& app) {
  auto* command = root.add_subcommand("evaluate", "Estimate what a policy would have earned, from logged decisions");
  auto arguments = std::make_shared<EvaluateArguments>();
  auto& options = arguments->options;
  command->add_option("log", arguments->log,
                      "Decisions with propensities: .csv or .ndjson (.gz and .zst too), or a file of Open Bandit");
  command->add_option("--site", arguments->site.site,
                      "Instead of a file: our own decisions for this site, of the store");
  command->add_option("--from", arguments->site.from,
                      "Of a site: the first time, as 2026-01-31T00:00:00Z (default: seven days ago)");
  command->add_option("--to", arguments->site.to, "Of a site: the time at which to end (default: now)");
  command
      ->add_option(
          "--policy", arguments->policy.policy,
          "uniform, target (as the log's candidates have it), bts (Open Bandit's Thompson sampling), model (of a site: "
          "the learned one, as it was last kept) or model:FILE (as `marquee learn` writes it), or a JSON file: "
          "weights, "
          "probabilities, rules (libs/evaluation/README.md)")
      ->required();
  command->add_option("--prior", arguments->policy.prior,
                      "For bts: the file of priors (default: two folders above the log)");
  command->add_option("--campaign", arguments->policy.campaign,
                      "For bts: whose priors (default: the name of the log's folder)");
  const auto positive = CLI::PositiveNumber;
  command->add_option("--clip", options.clip, "Greatest weight of clipped-ipw (default: root of the decisions)")
      ->check(positive);
  command
      ->add_option("--switch", options.switch_at,
                   "Weight above which switch-dr takes the model alone (default: root of the decisions)")
      ->check(positive);
  command->add_option("--bootstrap", options.bootstrap, "Resamples for percentile intervals; 0: none")
      ->check(CLI::Range(0, 100'000))
      ->capture_default_str();
  command->add_option("--folds", options.folds, "Folds of the reward model")
      ->check(CLI::Range(2, 20))
      ->capture_default_str();
  command->add_option("--seed", options.seed, "Of folds and resamples")->capture_default_str();
  command->add_option("--dump", arguments->dump, "Write what the estimates were computed from to a file (NDJSON)");
  add_format_option(*command, arguments->format);
  command->add_flag("--force", arguments->is_forced, "Print estimates that cannot be trusted, too, marked as such");
  command->footer(
      "Exit status: 0, 1 where the input is wrong, 2 where the estimates are refused because they cannot be trusted.\n"
      "Examples:\n"
      "  marquee evaluate data/open_bandit/bts/men/men.csv.gz --policy uniform\n"
      "  marquee evaluate data/open_bandit/random/women/women.csv.gz --policy bts --bootstrap 1000\n"
      "  marquee evaluate decisions.ndjson.zst --policy new.json --format json\n"
      "  marquee evaluate --site campus --from 2026-01-01T00:00:00Z --policy uniform\n"
      "  marquee evaluate --site campus --policy model");
  command->callback([&app, arguments] { app.exit_code = run_evaluate(app, *arguments); });
}

}  // namespace marquee::app
