#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>

#include "log_builder.h"
#include "marquee/evaluation/read_decisions.h"

namespace marquee::evaluation {
namespace {

/// What a form calls what it has.
struct Form {
  const char* ad;
  const char* reward;
  const char* propensity;
};
constexpr Form kOpenBandit = {"item_id", "click", "propensity_score"};
constexpr Form kMarquee = {"ad_id", "reward", "propensity"};

Error at_line(std::uint64_t line, std::string_view message) {
  return Error::reject(fmt::format("line {}: {}", line, message));
}

Result<std::vector<std::string>> read_header(const NextRow& next) {
  TextRow row;
  const auto has_row = next(row);
  if (!has_row) return has_row.error();
  if (!*has_row) return Error::reject("the file is empty");
  return std::vector<std::string>(row.fields.begin(), row.fields.end());
}

Result<std::vector<std::size_t>> find_columns(const std::vector<std::string>& header,
                                              std::initializer_list<std::string_view> names) {
  std::vector<std::size_t> columns;
  for (const auto name : names) {
    const auto found = std::ranges::find(header, name);
    if (found == header.end()) return Error::reject(fmt::format("the file has no column \"{}\"", name));
    columns.push_back(static_cast<std::size_t>(found - header.begin()));
  }
  return columns;
}

/// Calls `take` with each row, whose fields are as many as the header's.
Result<void> each_row(const NextRow& next, std::size_t width, const std::function<Result<void>(const TextRow&)>& take) {
  TextRow row;
  for (;;) {
    const auto has_row = next(row);
    if (!has_row) return has_row.error();
    if (!*has_row) return {};
    if (row.fields.size() != width) return at_line(row.line, "has another number of columns than the header");
    if (const auto taken = take(row); !taken) return at_line(row.line, taken.error().message);
  }
}

}  // namespace

Result<DecisionLog> read_decision_csv(const NextRow& next, const std::vector<std::string>& items) {
  const auto header = read_header(next);
  if (!header) return header.error();
  const bool is_open_bandit = std::ranges::find(*header, kOpenBandit.ad) != header->end();
  const Form& form = is_open_bandit ? kOpenBandit : kMarquee;
  const auto columns = find_columns(*header, {form.ad, "position", form.reward, form.propensity});
  if (!columns) return columns.error();
  std::vector<std::size_t> context;
  for (std::size_t i = 0; i < header->size(); ++i) {
    const auto& name = (*header)[i];
    const bool is_context = is_open_bandit ? name.starts_with("user_feature_") : !name.empty();
    if (is_context && std::ranges::find(*columns, i) == columns->end()) context.push_back(i);
  }
  LogBuilder builder;
  if (is_open_bandit)
    for (const auto& item : items) builder.add_ad(item);
  const auto read = each_row(next, header->size(), [&](const TextRow& row) -> Result<void> {
    const auto cell = [&](std::size_t column) { return row.fields[(*columns)[column]]; };
    for (const auto i : context)
      if (!row.fields[i].empty()) builder.add_context((*header)[i], row.fields[i]);
    const auto reward = parse_number(cell(2));
    if (!reward) return Error::reject(fmt::format("{}: expected a number", form.reward));
    const auto propensity = parse_number(cell(3));
    if (!propensity) return Error::reject(fmt::format("{}: expected a number", form.propensity));
    return builder.add(cell(0), cell(1), *reward, *propensity);
  });
  if (!read) return read.error();
  return builder.finish();
}

Result<std::vector<std::string>> read_items(const NextRow& next) {
  const auto header = read_header(next);
  if (!header) return header.error();
  const auto columns = find_columns(*header, {kOpenBandit.ad});
  if (!columns) return columns.error();
  std::vector<std::string> items;
  const auto read = each_row(next, header->size(), [&](const TextRow& row) -> Result<void> {
    items.emplace_back(row.fields[columns->front()]);
    return {};
  });
  if (!read) return read.error();
  return items;
}

}  // namespace marquee::evaluation
