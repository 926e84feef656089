#include "user_dimensions.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "query.h"

namespace marquee::analytics {
namespace {

constexpr std::string_view kArm = "arm.";

/// What names the experiment's columns: letters and digits, different for each.
std::string column_name(std::string_view dimension) {
  std::string name;
  for (const char c : dimension.substr(kArm.size())) name += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return name;
}

std::string numbers_parameter(const std::vector<std::uint64_t>& numbers) {
  return fmt::format("[{}]", fmt::join(numbers, ","));
}

void add_once(std::vector<std::string>& names, const std::string& name) {
  if (std::ranges::find(names, name) == names.end()) names.push_back(name);
}

/// Whether the event has an arm.
std::string has_arm(std::string_view dimension) {
  return fmt::format("arm_{0} != '' AND event_time >= since_{0}", column_name(dimension));
}

}  // namespace

bool is_arm(std::string_view dimension) { return dimension.starts_with(kArm) && dimension.size() > kArm.size(); }

std::string arm_expression(std::string_view dimension) {
  return fmt::format("if({}, arm_{}, '')", has_arm(dimension), column_name(dimension));
}

Result<std::string> segment_condition(const Filter& filter, const Scope& scope, clickhouse::Parameters& parameters,
                                      const std::string& name) {
  std::vector<std::uint64_t> wanted, all;
  bool is_none_wanted = false;
  for (const auto& segment : scope.segments) all.push_back(segment.version);
  for (const auto& id : filter.values) {
    const auto segment = std::ranges::find(scope.segments, id, &SegmentVersion::id);
    if (id.empty()) {
      is_none_wanted = true;
    } else if (segment == scope.segments.end()) {
      return Error::reject(fmt::format(
          "filter: segment: {} has no segment \"{}\" whose users are written down (a live one is for targeting alone)",
          scope.site, id.substr(0, 64)));
    } else {
      wanted.push_back(segment->version);
    }
  }
  const auto is_in = [&](const std::string& parameter, const std::vector<std::uint64_t>& versions) {
    parameters[parameter] = numbers_parameter(versions);
    return fmt::format(
        "user_key GLOBAL IN (SELECT user_key FROM marquee.segment_users WHERE version IN {{{}:Array(UInt64)}})",
        parameter);
  };
  auto condition = is_in(name, wanted);
  if (is_none_wanted) condition += fmt::format(" OR NOT ({})", is_in(name + "_all", all));
  return fmt::format(" AND {}({})", filter.is_negated ? "NOT " : "", condition);
}

UserDimensions::UserDimensions(const Scope& read, const std::vector<std::string>& by) : read_(read) {
  for (const auto& name : by) {
    if (name == kSegment) is_by_segment_ = true;
    if (!is_arm(name)) continue;
    add_once(by_arms_, name);
    add_once(arms_, name);
  }
}

void UserDimensions::add(const std::vector<Filter>& filters) {
  for (const auto& filter : filters)
    if (is_arm(filter.dimension)) add_once(arms_, filter.dimension);
}

std::string UserDimensions::joins(clickhouse::Parameters& parameters) const {
  std::string text;
  // ANY: a user has one row. GLOBAL: on a cluster one node finds the users, for all.
  if (is_by_segment_) {
    std::vector<std::string> ids;
    std::vector<std::uint64_t> versions;
    for (const auto& segment : read_.segments) {
      ids.push_back(segment.id);
      versions.push_back(segment.version);
    }
    parameters["segment_ids"] = array_parameter(ids);
    parameters["segment_versions"] = numbers_parameter(versions);
    text +=
        " GLOBAL LEFT ANY JOIN (SELECT user_key, groupArray(toUInt16(indexOf({segment_versions:Array(UInt64)}, "
        "version))) AS segment_numbers FROM marquee.segment_users WHERE version IN {segment_versions:Array(UInt64)} "
        "GROUP BY user_key) AS in_segments USING (user_key)";
  }
  for (const auto& arm : arms_) {
    text += fmt::format(
        " GLOBAL LEFT ANY JOIN (SELECT user_key, since AS since_{0}, arm AS arm_{0} FROM {1}) AS exposed_{0} "
        "USING (user_key)",
        column_name(arm), exposed_users(arm.substr(kArm.size()), read_, parameters));
  }
  return text;
}

std::string UserDimensions::conditions() const {
  std::string text;
  for (const auto& arm : by_arms_) text += " AND " + has_arm(arm);
  return text;
}

std::string UserDimensions::segments_of_row() {
  return "if(empty(segment_numbers), [''], arrayMap(n -> {segment_ids:Array(String)}[n], segment_numbers))";
}

Scope UserDimensions::data() const {
  Scope scope = read_;
  if (!arms_.empty()) scope.from_ms.reset();
  return scope;
}

std::string exposed_users(std::string_view experiment, const Scope& scope, clickhouse::Parameters& parameters) {
  Scope until_end = scope;
  until_end.from_ms.reset();
  const auto name = "experiment_" + column_name(fmt::format("{}{}", kArm, experiment));
  parameters[name] = clickhouse::escape_parameter(experiment);
  return fmt::format(
      "(SELECT user_key, min(event_time) AS since, if(min(exposed_to) = max(exposed_to), min(exposed_to), '') AS arm "
      "FROM (SELECT user_key, event_time, {} AS exposed_to FROM marquee.events{} AND event_type = 'exposure' AND "
      "user_key != 0 AND {} = {{{}:String}} AND exposed_to != '') GROUP BY user_key)",
      props_expression("arm"), where(until_end, "event_time", parameters), props_expression("experiment"), name);
}

}  // namespace marquee::analytics
