#include "funnel_answers.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "report_answers.h"
#include "report_json.h"

namespace marquee::api {
namespace {

using analytics::FunnelOrder;

constexpr std::pair<const char*, FunnelOrder> kOrders[] = {
    {"ordered", FunnelOrder::ordered}, {"strict", FunnelOrder::strict}, {"any", FunnelOrder::any}};

const std::vector<std::string_view> kMembers = {
    "site",           "from",  "to", "last",    "filter",        "steps", "exclude",
    "window_seconds", "order", "by", "compare", "dropped_after", "limit", "key_limit"};

std::string name_of(FunnelOrder order) {
  return std::ranges::find(kOrders, order, &std::pair<const char*, FunnelOrder>::second)->first;
}

/// A member that is a whole number; `value` is left as it is where there is none.
template <class Whole>
Result<void> read_whole(const Json& body, const std::string& name, Whole& value) {
  const auto found = body.find(name);
  if (found == body.end()) return {};
  if (!found->is_number_unsigned()) return Error::reject(name + ": expected a whole number");
  value = found->template get<std::uint64_t>();
  return {};
}

Result<std::vector<std::string>> listed_texts(const Json& body, const std::string& name) {
  std::vector<std::string> texts;
  const auto found = body.find(name);
  if (found == body.end()) return texts;
  if (!found->is_array()) return Error::reject(name + ": expected a list of texts");
  for (const auto& one : *found) {
    if (!one.is_string()) return Error::reject(name + ": expected a list of texts");
    texts.push_back(one.get<std::string>());
  }
  return texts;
}

Result<std::vector<analytics::Filter>> filters_of(const Json& body) {
  const auto texts = listed_texts(body, "filter");
  if (!texts) return texts.error();
  std::vector<analytics::Filter> filters;
  for (const auto& text : *texts) {
    auto filter = filter_of(text);
    if (!filter) return filter.error();
    filters.push_back(std::move(*filter));
  }
  return filters;
}

}  // namespace

Result<analytics::FunnelMatch> read_match(const Json& body) {
  auto types = listed_texts(body, "types");
  if (!types) return types.error();
  auto filters = filters_of(body);
  if (!filters) return filters.error();
  return analytics::FunnelMatch{std::move(*types), std::move(*filters)};
}

namespace {

Result<analytics::FunnelStep> step_of(const Json& body) {
  if (auto is_step = require_object(body, {"types", "filter", "optional"}); !is_step) return is_step.error();
  auto match = read_match(body);
  if (!match) return match.error();
  const auto optional = body.find("optional");
  if (optional != body.end() && !optional->is_boolean()) return Error::reject("optional: expected true or false");
  return analytics::FunnelStep{std::move(*match), optional != body.end() && optional->get<bool>()};
}

Result<analytics::FunnelExclusion> exclusion_of(const Json& body) {
  if (auto is_one = require_object(body, {"types", "filter", "after_step", "before_step"}); !is_one)
    return is_one.error();
  auto match = read_match(body);
  if (!match) return match.error();
  analytics::FunnelExclusion exclusion{std::move(*match)};
  if (auto read = read_whole(body, "after_step", exclusion.after_step); !read) return read.error();
  if (auto read = read_whole(body, "before_step", exclusion.before_step); !read) return read.error();
  return exclusion;
}

/// A list of objects. What is wrong with one of them is told under the list's name, with its place.
template <class One, class Read>
Result<std::vector<One>> list_of(const Json& body, const std::string& name, Read read) {
  std::vector<One> list;
  const auto found = body.find(name);
  if (found == body.end()) return list;
  if (!found->is_array()) return Error::reject(name + ": expected a list");
  for (const auto& member : *found) {
    auto one = read(member);
    if (!one) return Error::reject(fmt::format("{}: {}: {}", name, list.size() + 1, one.error().message));
    list.push_back(std::move(*one));
  }
  return list;
}

Json step_bounds(const analytics::FunnelStepBounds& bounds) {
  return {{"users", bounds_json(bounds.users)},
          {"from_previous", bounds_json(bounds.from_previous)},
          {"from_first", bounds_json(bounds.from_first)},
          {"median_ms_from_previous", bounds_json(bounds.median_ms)},
          {"p90_ms_from_previous", bounds_json(bounds.p90_ms)}};
}

Json counts_json(const analytics::FunnelRequest& asked, const analytics::FunnelCounts& counts) {
  Json steps = Json::array();
  std::uint64_t previous = 0;  // Users of the last step before that is not optional.
  for (std::size_t i = 0; i < counts.steps.size(); ++i) {
    const auto& step = counts.steps[i];
    steps.push_back({{"users", step.users},
                     {"from_previous", i == 0 ? Json(nullptr) : share(step.users, previous)},
                     {"from_first", share(step.users, counts.steps.front().users)},
                     {"median_ms_from_previous", number_or_null(step.median_ms)},
                     {"p90_ms_from_previous", number_or_null(step.p90_ms)}});
    if (step.bounds) steps.back()["bounds"] = step_bounds(*step.bounds);
    if (!asked.steps[i].is_optional) previous = step.users;
  }
  Json json = {{"steps", std::move(steps)},
               {"median_ms_total", number_or_null(counts.median_ms)},
               {"p90_ms_total", number_or_null(counts.p90_ms)}};
  if (!counts.steps.empty() && counts.steps.front().bounds) {
    json["bounds"] = {{"median_ms_total", bounds_json(counts.median_bounds)},
                      {"p90_ms_total", bounds_json(counts.p90_bounds)}};
  }
  return json;
}

Json dropped_json(const analytics::FunnelRequest& asked, const analytics::FunnelDropped& dropped) {
  return {{"after_step", *asked.dropped_after},
          {"users", dropped.users},
          {"users_without_key", dropped.without_key},
          {"keys", dropped.keys},
          {"is_cut", dropped.is_cut}};
}

Result<Json> whole_numbers(const http::Request& request, const std::string& name) {
  Json numbers = Json::array();
  for (const auto& text : list_parameter(request, name)) {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size())
      return Error::reject(name + ": expected the numbers of steps");
    numbers.push_back(value);
  }
  return numbers;
}

}  // namespace

Result<Json> funnel_definition(const http::Request& request) {
  Json definition = Json::object();
  for (const char* name : {"site", "from", "to", "last", "order", "by", "compare"})
    if (const auto text = request.query_parameter(name)) definition[name] = *text;
  for (const char* name : {"window_seconds", "dropped_after", "limit", "key_limit"}) {
    if (!request.query_parameter(name)) continue;
    const auto value = whole_parameter(request, name, 0);
    if (!value) return value.error();
    definition[name] = *value;
  }
  definition["filter"] = Json::array();
  for (const auto& [name, text] : request.query_parameters())
    if (name == "filter") definition["filter"].push_back(text);
  definition["steps"] = Json::array();
  for (const auto& type : list_parameter(request, "steps"))
    definition["steps"].push_back({{"types", Json::array({type})}});
  const auto optional = whole_numbers(request, "optional");
  if (!optional) return optional.error();
  for (const std::uint64_t step : *optional) {
    if (step < 1 || step > definition["steps"].size())
      return Error::reject(fmt::format("optional: there is no step {}", step));
    definition["steps"][step - 1]["optional"] = true;
  }
  if (auto types = list_parameter(request, "exclude"); !types.empty())
    definition["exclude"] = Json::array({{{"types", std::move(types)}}});
  return definition;
}

Result<Json> funnel_body(const http::Request& request) { return read_object(request, kMembers); }

Result<void> check_funnel_members(const Json& definition) { return require_object(definition, kMembers); }

Result<analytics::FunnelRequest> read_funnel(const Json& definition) {
  analytics::FunnelRequest asked;
  auto filters = filters_of(definition);
  if (!filters) return filters.error();
  asked.filters = std::move(*filters);
  auto steps = list_of<analytics::FunnelStep>(definition, "steps", step_of);
  if (!steps) return steps.error();
  asked.steps = std::move(*steps);
  auto exclusions = list_of<analytics::FunnelExclusion>(definition, "exclude", exclusion_of);
  if (!exclusions) return exclusions.error();
  asked.exclusions = std::move(*exclusions);
  const auto order = text_of(definition, "order", "ordered");
  if (!order) return order.error();
  const auto known = std::ranges::find_if(kOrders, [&](const auto& one) { return *order == one.first; });
  if (known == std::end(kOrders)) return Error::reject("order: expected one of ordered, strict, any");
  asked.order = known->second;
  auto by = text_of(definition, "by", "");
  if (!by) return by.error();
  asked.by = std::move(*by);
  const auto compare = text_of(definition, "compare", "none");
  if (!compare) return compare.error();
  if (*compare != "none" && *compare != "previous") return Error::reject("compare: expected one of none, previous");
  asked.compares_previous = *compare == "previous";
  if (auto read = read_whole(definition, "window_seconds", asked.window_seconds); !read) return read.error();
  if (auto read = read_whole(definition, "dropped_after", asked.dropped_after); !read) return read.error();
  if (auto read = read_whole(definition, "limit", asked.limit); !read) return read.error();
  if (auto read = read_whole(definition, "key_limit", asked.key_limit); !read) return read.error();
  return asked;
}

Json funnel_json(const analytics::FunnelRequest& asked, const analytics::FunnelReport& report) {
  const auto previous = [&](const analytics::FunnelCounts& counts) {
    return asked.compares_previous ? counts_json(asked, counts) : Json(nullptr);
  };
  Json body = head(asked.scope);
  body["window_seconds"] = asked.window_seconds;
  body["order"] = name_of(asked.order);
  body["by"] = asked.by.empty() ? Json(nullptr) : Json(asked.by);
  body["source"] = report.source;
  body["sample"] = number_or_null(report.sampled);
  body.update(counts_json(asked, report.total));
  for (std::size_t i = 0; i < asked.steps.size(); ++i) {
    Json step = {{"name", fmt::format("{}", fmt::join(asked.steps[i].match.types, ", "))},
                 {"is_optional", asked.steps[i].is_optional}};
    step.update(body["steps"][i]);
    body["steps"][i] = std::move(step);
  }
  body["previous"] = previous(report.previous);
  body["is_cut"] = report.is_cut;
  body["rows"] = Json::array();
  for (const auto& row : report.rows) {
    Json one = {{"key", row.key}};
    one.update(counts_json(asked, row.now));
    one["previous"] = previous(row.previous);
    body["rows"].push_back(std::move(one));
  }
  body["dropped"] = asked.dropped_after && !report.sampled ? dropped_json(asked, report.dropped) : Json(nullptr);
  return body;
}

Result<Json> ReportAnswers::funnel(const http::Request& request) {
  return sampled(request, &ReportAnswers::funnel_body);
}

Result<Json> ReportAnswers::funnel_body(const http::Request& request, const Extent& extent) {
  return funnel_of(request.method == "POST" ? api::funnel_body(request) : funnel_definition(request),
                   wants_fresh(request), extent);
}

Result<std::uint64_t> ReportAnswers::events_of_funnel(const http::Request& request) {
  const auto asked = funnel_request(request.method == "POST" ? api::funnel_body(request) : funnel_definition(request),
                                    wants_fresh(request));
  if (!asked) return asked.error();
  return reports_.events_to_read(*asked);
}

Result<analytics::FunnelRequest> ReportAnswers::funnel_request(const Result<Json>& definition, bool is_fresh) const {
  if (!definition) return definition.error();
  auto asked = read_funnel(*definition);
  if (!asked) return asked.error();
  const auto site = text_of(*definition, "site", "");
  if (!site) return site.error();
  TimesAsked times;
  for (auto [name, time] : {std::pair("from", &times.from), {"to", &times.to}, {"last", &times.last}}) {
    auto text = text_of(*definition, name, "");
    if (!text) return text.error();
    *time = std::move(*text);
  }
  auto scope = scope_of(*site, times);
  if (!scope) return scope.error();
  scope->is_fresh = is_fresh;
  asked->scope = std::move(*scope);
  return asked;
}

Result<Json> ReportAnswers::funnel_of(const Result<Json>& definition, bool is_fresh, const Extent& extent) {
  auto asked = funnel_request(definition, is_fresh);
  if (!asked) return asked.error();
  asked->query_id = extent.query_id;
  const auto report = extent.fraction ? reports_.sampled_funnel(*asked, *extent.fraction) : reports_.funnel(*asked);
  if (!report) return report.error();
  Json body = funnel_json(*asked, *report);
  if (auto added = add_experiments(body, asked->scope, {asked->by}, asked->filters); !added) return added.error();
  return body;
}

}  // namespace marquee::api
