#include "asked.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>

#include "marquee/event/timestamp.h"
#include "marquee/event/user_agent.h"

namespace marquee::serving {
namespace {

namespace dom = simdjson::dom;
using decision::Field;

constexpr std::size_t kLongestAskedText = 256, kLongestQuery = 1'000, kMostValues = 100;
constexpr std::int64_t kMostRunnerUps = 20, kOldest = 130;

class AskReader {
 public:
  AskReader(dom::object root, const AskContext& context, Asked& asked)
      : root_(root), context_(context), asked_(asked) {}

  Result<void> read() {
    for (const auto step :
         {&AskReader::refuse_unknown, &AskReader::read_placements, &AskReader::read_where, &AskReader::read_permission,
          &AskReader::read_who, &AskReader::read_filters, &AskReader::read_wishes})
      if (auto done = (this->*step)(); !done) return done;
    return {};
  }

 private:
  static Error wrong(std::string_view field, std::string_view why) {
    return Error::reject(fmt::format("{}: {}", field, why));
  }

  /// A misspelt field would silently ask something else.
  Result<void> refuse_unknown() {
    constexpr auto kFields = std::to_array<std::string_view>(
        {"placements", "page_id",    "page_path", "query", "course_id",  "course_category", "device",        "time",
         "user_id",    "session_id", "consent",   "age",   "college_id", "program",         "year_of_study", "city",
         "segments",   "attributes", "filters",   "why",   "runner_ups"});
    for (const auto& [name, value] : root_)
      if (std::ranges::find(kFields, name) == kFields.end()) return wrong(name, "there is no such field");
    return {};
  }

  /// Empty where it is not given.
  Result<std::string_view> text(dom::object object, std::string_view field, std::size_t longest = kLongestAskedText) {
    dom::element value;
    std::string_view text;
    if (object[field].get(value) != simdjson::SUCCESS || value.is_null()) return std::string_view();
    if (value.get(text) != simdjson::SUCCESS) return wrong(field, "expected a text");
    if (text.size() > longest) return wrong(field, fmt::format("at most {} bytes", longest));
    return text;
  }

  Result<std::optional<std::int64_t>> number(dom::object object, std::string_view field, std::int64_t least,
                                             std::int64_t most) {
    dom::element value;
    std::int64_t number = 0;
    if (object[field].get(value) != simdjson::SUCCESS || value.is_null()) return std::optional<std::int64_t>();
    if (value.get(number) != simdjson::SUCCESS || number < least || number > most)
      return wrong(field, fmt::format("expected a whole number from {} to {}", least, most));
    return std::optional(number);
  }

  Result<std::vector<std::string_view>> texts(dom::object object, std::string_view field) {
    std::vector<std::string_view> all;
    dom::element value;
    dom::array array;
    if (object[field].get(value) != simdjson::SUCCESS || value.is_null()) return all;
    if (value.get(array) != simdjson::SUCCESS || array.size() > kMostValues)
      return wrong(field, fmt::format("expected a list of at most {} texts", kMostValues));
    for (const auto one : array) {
      std::string_view text;
      if (one.get(text) != simdjson::SUCCESS || text.empty() || text.size() > kLongestAskedText)
        return wrong(field, fmt::format("expected texts of 1 to {} bytes", kLongestAskedText));
      all.push_back(text);
    }
    return all;
  }

  Result<void> read_placements() {
    dom::array placements;
    if (root_["placements"].get(placements) != simdjson::SUCCESS || placements.size() == 0 ||
        placements.size() > kMostPlacements)
      return wrong("placements", fmt::format("expected a list of 1 to {} placements", kMostPlacements));
    for (const auto one : placements) {
      dom::object placement;
      if (one.get(placement) != simdjson::SUCCESS) return wrong("placements", "expected objects with slot_id");
      const auto slot = text(placement, "slot_id");
      if (!slot) return slot.error();
      if (slot->empty()) return wrong("placements", "slot_id is needed");
      const auto position = number(placement, "position", 0, std::numeric_limits<std::uint8_t>::max());
      if (!position) return position.error();
      const auto given = static_cast<std::uint8_t>(position->value_or(0));
      const auto in_order = static_cast<std::uint8_t>(asked_.request.placements.size() + 1);
      asked_.request.placements.push_back({.slot = *slot, .position = given == 0 ? in_order : given});
    }
    return {};
  }

  /// Sets `target` to the text of `field`, and lets targeting see it.
  Result<void> take(std::string_view field, std::string_view& target, std::optional<Field> known) {
    const auto value = text(root_, field);
    if (!value) return value.error();
    target = *value;
    if (known) asked_.request.context.add(*known, *value);
    return {};
  }

  Result<void> read_where() {
    auto& event = asked_.event;
    auto& context = asked_.request.context;
    context.time_ms = context_.now_ms;
    event.site_id = context_.key.site_id;
    std::string_view category;
    for (const auto& done :
         {take("page_id", event.page_id, Field::page), take("page_path", event.page_path, std::nullopt),
          take("course_id", event.course_id, std::nullopt), take("course_category", category, Field::course_category),
          take("device", event.device, std::nullopt)})
      if (!done) return done;
    const auto agent = event::parse_user_agent(context_.user_agent);
    if (event.device.empty()) event.device = agent.device;
    event.os = agent.os;
    event.browser = agent.browser;
    event.is_bot = agent.is_bot;
    context.add(Field::device, event.device);
    const auto query = text(root_, "query", kLongestQuery);
    if (!query) return query.error();
    asked_.texts = decision::search_terms(*query);
    for (const auto& term : asked_.texts) context.add(Field::search_term, term);
    return read_time();
  }

  /// Another time than now is for servers that ask what would be shown, or play back what was.
  Result<void> read_time() {
    dom::element value;
    if (root_["time"].get(value) != simdjson::SUCCESS || value.is_null()) return {};
    if (!context_.key.trusted) return wrong("time", "only a trusted key may give one");
    std::int64_t ms = 0;
    std::string_view text;
    if (value.get(text) == simdjson::SUCCESS)
      ms = serving::read_time(text).value_or(-1);
    else if (value.get(ms) != simdjson::SUCCESS)
      ms = -1;
    if (ms < 0 || ms >= event::kLatestMs) return wrong("time", "expected milliseconds since 1970 or an RFC 3339 time");
    asked_.request.context.time_ms = ms;
    return {};
  }

  Result<void> read_permission() {
    const auto consent = text(root_, "consent");
    if (!consent) return consent.error();
    auto& given = asked_.event.consent;
    if (*consent == "full")
      given = event::Consent::full;
    else if (*consent == "contextual")
      given = event::Consent::contextual;
    else if (*consent == "denied")
      given = event::Consent::denied;
    else if (!consent->empty() && *consent != "unknown")
      return wrong("consent", "expected full, contextual, denied or unknown");
    const auto age = number(root_, "age", 0, kOldest);
    if (!age) return age.error();
    if (*age) asked_.age = static_cast<std::uint32_t>(**age);
    asked_.may_know_user = profile::may_be_known(given, asked_.age);
    return {};
  }

  /// Everything of the user is read, so that what is wrong is named in any case; it is kept only with permission.
  Result<void> read_who() {
    std::vector<decision::Known> known;
    const auto college = text(root_, "college_id"), program = text(root_, "program"), city = text(root_, "city"),
               user = text(root_, "user_id"), session = text(root_, "session_id");
    for (const auto* one : {&college, &program, &city, &user, &session})
      if (!*one) return one->error();
    const auto year = number(root_, "year_of_study", 0, 20);
    if (!year) return year.error();
    const auto segments = texts(root_, "segments");
    if (!segments) return segments.error();
    if (!segments->empty() && !context_.key.trusted) return wrong("segments", "only a trusted key may give them");
    dom::element value;
    dom::object attributes;
    const bool has_attributes = root_["attributes"].get(value) == simdjson::SUCCESS && !value.is_null();
    if (has_attributes && (value.get(attributes) != simdjson::SUCCESS || attributes.size() > kMostValues))
      return wrong("attributes", fmt::format("expected an object of at most {} texts", kMostValues));
    if (!asked_.may_know_user) return {};

    auto& event = asked_.event;
    auto& context = asked_.request.context;
    event.college_id = *college;
    event.program = *program;
    event.city = *city;
    event.year_of_study = static_cast<std::uint8_t>(year->value_or(0));
    if (!user->empty()) event.user_key = event::hash_user(context_.hash_key, *user);
    if (!session->empty()) event.session_id = event::hash_session(context_.hash_key, *session);
    asked_.permission = profile::Permission::grant(event.site_id, event.user_key, event.consent, asked_.age);
    // Who has not signed in is known by the session.
    asked_.request.user_key = event.user_key != 0 ? event.user_key : event.session_id;
    context.add(Field::college, *college);
    context.add(Field::program, *program);
    context.add(Field::city, *city);
    for (const auto segment : *segments) context.add(Field::segment, segment);
    if (*year) context.add(Field::year, asked_.year = std::to_string(**year));
    if (has_attributes) return read_attributes(attributes);
    return {};
  }

  Result<void> read_attributes(dom::object attributes) {
    for (const auto& [name, value] : attributes) {
      std::string_view text;
      if (name.size() > kLongestAskedText || value.get(text) != simdjson::SUCCESS || text.size() > kLongestAskedText)
        return wrong("attributes", fmt::format("expected texts of at most {} bytes", kLongestAskedText));
      asked_.request.context.add(Field::attribute, text, name);
    }
    return {};
  }

  Result<void> read_filters() {
    dom::element value;
    dom::object filters;
    if (root_["filters"].get(value) != simdjson::SUCCESS || value.is_null()) return {};
    if (value.get(filters) != simdjson::SUCCESS) return wrong("filters", "expected an object");
    auto categories = texts(filters, "blocked_categories"), blocked = texts(filters, "blocked_advertisers"),
         there = texts(filters, "advertisers_on_page");
    for (const auto* one : {&categories, &blocked, &there})
      if (!*one) return one->error();
    const auto floor = number(filters, "floor_micros", 0, 1'000'000'000'000);
    if (!floor) return floor.error();
    auto& request = asked_.request;
    request.blocked_categories = std::move(*categories);
    request.blocked_advertisers = std::move(*blocked);
    request.blocked_advertisers.insert(request.blocked_advertisers.end(), there->begin(), there->end());
    request.floor_micros = floor->value_or(0);
    return {};
  }

  Result<void> read_wishes() {
    dom::element value;
    if (root_["why"].get(value) == simdjson::SUCCESS && !value.is_null() &&
        value.get(asked_.wants_reasons) != simdjson::SUCCESS)
      return wrong("why", "expected true or false");
    if (asked_.wants_reasons && !context_.key.trusted) return wrong("why", "only a trusted key may ask");
    asked_.request.wants_reasons = asked_.wants_reasons;
    const auto runner_ups = number(root_, "runner_ups", 0, kMostRunnerUps);
    if (!runner_ups) return runner_ups.error();
    asked_.runner_ups = static_cast<std::size_t>(runner_ups->value_or(0));
    return {};
  }

  dom::object root_;
  const AskContext& context_;
  Asked& asked_;
};

}  // namespace

std::optional<std::int64_t> read_time(std::string_view text) {
  std::int64_t ms = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), ms);
  if (error != std::errc() || end != text.data() + text.size()) return event::parse_timestamp(text);
  return ms >= 0 && ms < event::kLatestMs ? std::optional(ms) : std::nullopt;
}

Result<void> read_request(std::string_view body, const AskContext& context, Asked& asked) {
  thread_local dom::parser parser;
  dom::object root;
  if (const auto error = parser.parse(body.data(), body.size()).get(root); error != simdjson::SUCCESS)
    return Error::reject(fmt::format("the body is no JSON object: {}", simdjson::error_message(error)));
  return AskReader(root, context, asked).read();
}

}  // namespace marquee::serving
