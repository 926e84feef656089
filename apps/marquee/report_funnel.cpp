#include "report_funnel.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>

namespace marquee::app {
namespace {

using Json = nlohmann::ordered_json;

/// At each `mark` that has no backslash before it; "\;" is a ";" of a value.
std::vector<std::string> split(std::string_view text, char mark) {
  std::vector<std::string> parts(1);
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size() && text[i + 1] == mark) {
      parts.back() += text[++i];
    } else if (text[i] == mark) {
      parts.emplace_back();
    } else {
      parts.back() += text[i];
    }
  }
  return parts;
}

std::optional<std::uint64_t> whole(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// {"types", "filter"} of "<types>;<filter>;<filter>".
Json match_of(const std::vector<std::string>& parts) {
  Json match = {{"types", split(parts.front(), ',')}};
  if (parts.size() > 1) match["filter"] = std::vector<std::string>(parts.begin() + 1, parts.end());
  return match;
}

Result<Json> exclusion_of(const std::string& text) {
  auto parts = split(text, ';');
  const auto at = parts.front().find('@');
  if (at == std::string::npos) return match_of(parts);
  const auto range = split(parts.front().substr(at + 1), '-');
  parts.front().resize(at);
  const auto after = whole(range.front()), before = whole(range.back());
  if (range.size() != 2 || !after || !before)
    return Error::reject(fmt::format("--exclude {}: expected @<step>-<step> after the types", text));
  Json exclusion = match_of(parts);
  exclusion["after_step"] = *after;
  exclusion["before_step"] = *before;
  return exclusion;
}

std::string span(const Json& ms) { return ms.is_null() ? "" : span_text(ms.get<double>() / 1000); }

std::string share(const Json& value) {
  return value.is_null() ? "" : fmt::format("{:.3f} %", value.get<double>() * 100);
}

/// A row for each step. `names`: the steps of the report, which alone have them. `key`: absent without breakdown.
void add_steps(std::vector<Row>& rows, const Json& names, const Json& counts, const Json& previous,
               const std::optional<std::string>& key) {
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto& step = counts.at("steps").at(i);
    Row row;
    if (key) row.push_back(*key);
    row.push_back(names.at(i).at("name").get<std::string>() + (names.at(i).at("is_optional") ? " (optional)" : ""));
    row.push_back(step.at("users").dump());
    if (!previous.is_null()) row.push_back(previous.at("steps").at(i).at("users").dump());
    for (const char* name : {"from_previous", "from_first"}) row.push_back(share(step.at(name)));
    for (const char* name : {"median_ms_from_previous", "p90_ms_from_previous"}) row.push_back(span(step.at(name)));
    rows.push_back(std::move(row));
  }
}

}  // namespace

void add_funnel_options(CLI::App& command, FunnelOptions& options) {
  auto* types = command.add_option("--steps", options.types, "Event types, separated by commas: a step each")
                    ->delimiter(',')
                    ->capture_default_str();
  command
      .add_option("--step", options.steps,
                  "A step as \"<type>,<type>;<filter>;<filter>\": an event of one of the types that every filter lets "
                  "pass (as --filter; \\; is a semicolon of a value); may be repeated, up to thirty")
      ->excludes(types);
  command.add_option("--optional", options.optional, "Numbers of steps that may be left out, as 2,3")->delimiter(',');
  command.add_option(
      "--exclude", options.exclusions,
      "Events that end an attempt, as a step; \"<types>@1-2\" only between these steps; may be repeated");
  command.add_option("--window", options.window_seconds, "Seconds from the first step to the last")
      ->capture_default_str();
  command.add_option("--order", options.order, "ordered, strict (nothing between two steps), or any")
      ->capture_default_str();
  command.add_option("--by", options.by,
                     "A dimension of the first step's event, props.<name>, arm.<experiment>, or segment");
  command.add_option("--drop-off", options.dropped_after,
                     "Also who reached this step, but not the next; with --format csv only their keys");
  command.add_option("--keys", options.key_limit, "Keys of those at most")->capture_default_str();
  command.footer(
      "Examples:\n"
      "  marquee report funnel --site moodle --steps page_view,course_view\n"
      "  marquee report funnel --site campus --step search --step 'impression;campaign_id=law-2027' --step click \\\n"
      "    --exclude page_leave@1-2 --by college_id --drop-off 2");
}

Result<Json> funnel_definition(const FunnelOptions& options) {
  Json steps = Json::array();
  if (options.steps.empty())
    for (const auto& type : options.types) steps.push_back({{"types", Json::array({type})}});
  for (const auto& step : options.steps) steps.push_back(match_of(split(step, ';')));
  for (const auto number : options.optional) {
    if (number < 1 || number > steps.size())
      return Error::reject(fmt::format("--optional {}: there are {} steps", number, steps.size()));
    steps[number - 1]["optional"] = true;
  }
  Json definition = {{"steps", std::move(steps)}, {"window_seconds", options.window_seconds}, {"order", options.order}};
  for (const auto& text : options.exclusions) {
    auto exclusion = exclusion_of(text);
    if (!exclusion) return exclusion.error();
    definition["exclude"].push_back(std::move(*exclusion));
  }
  if (!options.by.empty()) definition["by"] = options.by;
  if (options.dropped_after != 0) {
    definition["dropped_after"] = options.dropped_after;
    definition["key_limit"] = options.key_limit;
  }
  return definition;
}

std::vector<Row> funnel_rows(const Json& report) {
  const bool is_by = !report.at("by").is_null();
  Row header;
  if (is_by) header.push_back(report.at("by").get<std::string>());
  header.insert(header.end(), {"step", "users"});
  if (!report.at("previous").is_null()) header.push_back("previous users");
  header.insert(header.end(), {"from_previous", "from_first", "median", "p90"});
  std::vector<Row> rows = {std::move(header)};
  const auto& names = report.at("steps");
  add_steps(rows, names, report, report.at("previous"), is_by ? std::optional<std::string>("(all)") : std::nullopt);
  for (const auto& row : report.at("rows"))
    add_steps(rows, names, row, row.at("previous"), row.at("key").get<std::string>());
  return rows;
}

std::vector<Row> dropped_rows(const Json& report) {
  std::vector<Row> rows = {{"user_key"}};
  for (const auto& key : report.at("dropped").at("keys")) rows.push_back({key.get<std::string>()});
  return rows;
}

std::string dropped_sentence(const Json& report) {
  const auto& dropped = report.at("dropped");
  return fmt::format("{} users reached step {}, but not the next; {} of them have no key{}",
                     dropped.at("users").get<std::uint64_t>(), dropped.at("after_step").get<std::uint64_t>(),
                     dropped.at("users_without_key").get<std::uint64_t>(),
                     dropped.at("is_cut").get<bool>() ? "; the first keys:" : ".");
}

}  // namespace marquee::app
