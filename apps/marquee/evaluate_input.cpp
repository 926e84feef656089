#include "evaluate_input.h"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "marquee/evaluation/read_decisions.h"
#include "marquee/evaluation/thompson.h"
#include "marquee/ingest/file_rows.h"

namespace marquee::app {
namespace {

using evaluation::DecisionLog;
using evaluation::Policy;
using Form = ingest::FileRows::Form;

evaluation::NextRow text_rows(ingest::FileRows& rows) {
  return [&rows](evaluation::TextRow& row) -> Result<bool> {
    const auto has_row = rows.next();
    if (has_row && *has_row) row = {rows.fields(), rows.line()};
    return has_row;
  };
}

Error in_file(const std::string& path, const Error& error) {
  return {error.action, fmt::format("{}: {}", path, error.message)};
}

bool is_lines(std::string_view path) {
  for (const std::string_view packed : {".gz", ".zst"})
    if (path.ends_with(packed)) path.remove_suffix(packed.size());
  return path.ends_with(".ndjson") || path.ends_with(".jsonl");
}

/// None where the file does not lie there.
Result<std::vector<std::string>> items_beside(const std::string& log_path) {
  const auto path = std::filesystem::path(log_path).replace_filename("item_context.csv").string();
  if (!std::filesystem::exists(path)) return std::vector<std::string>();
  const auto rows = ingest::open_rows(path, Form::csv);
  if (!rows) return rows.error();
  auto items = evaluation::read_items(text_rows(**rows));
  if (!items) return in_file(path, items.error());
  return items;
}

/// Open Bandit keeps logs as <policy>/<campaign>/<campaign>.csv, and the priors beside the policies.
Result<std::unique_ptr<Policy>> thompson_of(const PolicyChoice& choice, const std::string& log_path, DecisionLog& log) {
  const auto folder = std::filesystem::absolute(log_path).parent_path();
  const auto usual = (folder.parent_path().parent_path() / "prior_bts.yaml").string();
  const auto prior = evaluation::read_prior(choice.prior.empty() ? usual : choice.prior,
                                            choice.campaign.empty() ? folder.filename().string() : choice.campaign);
  if (!prior) return Error::reject(prior.error().message + " (--prior and --campaign name others)");
  return evaluation::thompson_policy(*prior, log);
}

}  // namespace

Result<DecisionLog> read_decision_file(const std::string& path) {
  const auto form = is_lines(path) ? Form::lines : Form::csv;
  const auto rows = ingest::open_rows(path, form);
  if (!rows) return rows.error();
  const auto items = items_beside(path);
  if (!items) return items.error();
  auto log = form == Form::lines ? evaluation::read_decision_lines(text_rows(**rows))
                                 : evaluation::read_decision_csv(text_rows(**rows), *items);
  if (!log) return in_file(path, log.error());
  return log;
}

Result<std::unique_ptr<Policy>> choose_policy(const PolicyChoice& choice, const std::string& log_path,
                                              DecisionLog& log) {
  if (choice.policy == "uniform") return evaluation::uniform_policy();
  if (choice.policy == "target") {
    if (log.candidate_target.empty())
      return Error::reject(fmt::format("{}: its decisions name no candidates with a target", log_path));
    return evaluation::logged_target_policy();
  }
  if (choice.policy == "bts") return thompson_of(choice, log_path, log);
  std::ifstream file(choice.policy, std::ios::binary);
  const std::string json(std::istreambuf_iterator<char>(file), {});
  if (!file) return Error::reject(fmt::format("cannot read the policy {}", choice.policy));
  auto policy = evaluation::read_policy(json, log);
  if (!policy) return in_file(choice.policy, policy.error());
  return policy;
}

}  // namespace marquee::app
