#include "marquee/simulate/environment_answers.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <simdjson.h>

#include <iterator>
#include <limits>
#include <utility>
#include <vector>

namespace marquee::simulate {
namespace {

namespace dom = simdjson::dom;
constexpr std::int64_t kOfAge = 21;

/// Names of this world are letters, digits, '-' and spaces: JSON text as they are.
void append_text(std::string& out, std::string_view name, std::string_view value) {
  if (!value.empty()) fmt::format_to(std::back_inserter(out), R"(,"{}":"{}")", name, value);
}

void append_visit(std::string& out, const Environment& environment, std::size_t number) {
  const auto& visit = environment.visits()[number];
  const auto context = environment.visible(visit);
  fmt::format_to(std::back_inserter(out), R"({{"visit":{},"time":{})", number, visit.time_ms);
  append_text(out, "page_id", context.page_id);
  append_text(out, "course_category", context.course_category);
  append_text(out, "query", context.query);
  append_text(out, "device", context.device);
  append_text(out, "consent", context.is_known ? "full" : "denied");
  append_text(out, "user_id", context.user_id);
  append_text(out, "college_id", context.college);
  append_text(out, "program", context.program);
  append_text(out, "city", context.city);
  if (context.is_known)
    fmt::format_to(std::back_inserter(out), R"(,"year_of_study":{},"age":{})", context.year, kOfAge);
  fmt::format_to(std::back_inserter(out), R"(,"eligible":[{}]}})", fmt::join(environment.eligible(visit), ","));
}

Error wrong(std::string what) { return Error::reject(std::move(what)); }

Result<std::vector<std::uint32_t>> numbers(dom::element element, std::size_t below) {
  dom::array array;
  if (element.get(array) != simdjson::SUCCESS) return wrong("expected a list of numbers");
  std::vector<std::uint32_t> all;
  for (const auto one : array) {
    std::uint64_t number = 0;
    if (one.get(number) != simdjson::SUCCESS || number >= below)
      return wrong(fmt::format("expected whole numbers below {}", below));
    all.push_back(static_cast<std::uint32_t>(number));
  }
  return all;
}

Result<std::string> next(dom::object asked, const Environment& environment, std::size_t& at) {
  std::uint64_t most = 0, within = std::numeric_limits<std::int64_t>::max();
  if (asked["next"].get(most) != simdjson::SUCCESS || most == 0) return wrong("next: expected a number above 0");
  if (dom::element value; asked["within_ms"].get(value) == simdjson::SUCCESS && value.get(within) != simdjson::SUCCESS)
    return wrong("within_ms: expected a number");
  const auto& visits = environment.visits();
  std::string out = R"({"visits":[)";
  const std::size_t first = at;
  for (; at < visits.size() && at - first < most; ++at) {
    if (static_cast<std::uint64_t>(visits[at].time_ms - visits[first].time_ms) > within) break;
    if (at > first) out += ',';
    append_visit(out, environment, at);
  }
  return out + "]}";
}

Result<std::string> show(dom::element wished, const Environment& environment, Trial& trial) {
  dom::array all;
  if (wished.get(all) != simdjson::SUCCESS) return wrong("show: expected a list");
  std::string out = R"({"shown":[)";
  for (const auto one : all) {
    std::uint64_t visit = 0;
    dom::element listed;
    if (one.at(0).get(visit) != simdjson::SUCCESS || one.at(1).get(listed) != simdjson::SUCCESS ||
        visit >= environment.visits().size())
      return wrong("show: expected [visit, [ad, ...]]");
    const auto ads = numbers(listed, environment.ads().size());
    if (!ads) return ads.error();
    const double best = trial.best_value(visit);
    const auto shown = trial.show(visit, *ads);
    if (!shown) return wrong(fmt::format("visit {}: an ad that may not be shown, or one twice, or too many", visit));
    if (out.back() != '[') out += ',';
    fmt::format_to(std::back_inserter(out), R"({{"best":{},"ads":[)", best);
    for (const auto& ad : *shown) {
      if (out.back() != '[') out += ',';
      fmt::format_to(std::back_inserter(out), "[{},{}]", ad.chance,
                     ad.click_ms ? std::to_string(*ad.click_ms) : "null");
    }
    out += "]}";
  }
  return out + "]}";
}

}  // namespace

std::string EnvironmentAnswers::head() const {
  const auto& options = environment_.options();
  std::string out = fmt::format(R"({{"environment":"{}","seed":{},"visits":{},"slots":{},"ads":[)", options.name,
                                environment_.seed(), environment_.visits().size(), options.slots);
  for (const auto& ad : environment_.ads()) {
    if (out.back() != '[') out += ',';
    fmt::format_to(std::back_inserter(out),
                   R"({{"id":"{}","campaign":"{}","category":"{}","advertiser":"{}","from_ms":{},"to_ms":{}}})", ad.id,
                   ad.campaign, ad.category, ad.advertiser, ad.from_ms, ad.to_ms);
  }
  return out + "]}";
}

Result<std::string> EnvironmentAnswers::answer(std::string_view line) {
  dom::parser parser;
  dom::object asked;
  if (parser.parse(line.data(), line.size()).get(asked) != simdjson::SUCCESS) return wrong("expected an object");
  dom::element value;
  if (asked["next"].get(value) == simdjson::SUCCESS) return next(asked, environment_, next_);
  if (asked["show"].get(value) == simdjson::SUCCESS) return show(value, environment_, trial_);
  for (const bool is_visible_only : {false, true}) {
    if (asked[is_visible_only ? "visible" : "best"].get(value) != simdjson::SUCCESS) continue;
    const auto visits = numbers(value, environment_.visits().size());
    if (!visits) return visits.error();
    std::string out = R"({"ads":[)";
    for (const auto visit : *visits) {
      if (out.back() != '[') out += ',';
      fmt::format_to(std::back_inserter(out), "[{}]", fmt::join(trial_.best(visit, is_visible_only), ","));
    }
    return out + "]}";
  }
  return wrong("expected one of next, show, best, visible");
}

}  // namespace marquee::simulate
