#include "mapper.h"

#include <fmt/format.h>
#include <xxhash.h>

#include <charconv>
#include <cmath>

#include "json_parts.h"
#include "marquee/base/json_text.h"
#include "marquee/event/field_names.h"

namespace marquee::feed {
namespace {

namespace dom = simdjson::dom;

constexpr std::size_t kMostTopic = 96;  ///< Of an identity; the rest of its 128 bytes is for the numbers.

/// Of a lookup in an object or, by a number, in a list.
std::optional<dom::element> child(dom::element element, std::string_view name) {
  dom::object object;
  dom::element found;
  if (element.get(object) == simdjson::SUCCESS) {
    if (object[name].get(found) != simdjson::SUCCESS) return std::nullopt;
    return found;
  }
  dom::array array;
  std::size_t index = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), index);
  if (element.get(array) != simdjson::SUCCESS || error != std::errc() || end != name.data() + name.size() ||
      array.at(index).get(found) != simdjson::SUCCESS)
    return std::nullopt;
  return found;
}

/// A number of `unit` as milliseconds, rounded down.
std::optional<std::string> millis(std::string_view number, TimeUnit unit) {
  if (unit == TimeUnit::milliseconds) return std::string(number);
  std::int64_t whole = 0;
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), whole);
  if (error == std::errc() && end == number.data() + number.size() && whole >= 0) {
    if (unit == TimeUnit::microseconds) return std::to_string(whole / 1'000);
    if (unit == TimeUnit::nanoseconds) return std::to_string(whole / 1'000'000);
    if (whole < 1'000'000'000'000'000) return std::to_string(whole * 1'000);
    return std::nullopt;
  }
  double real = 0;
  const auto [real_end, real_error] = std::from_chars(number.data(), number.data() + number.size(), real);
  if (real_error != std::errc() || real_end != number.data() + number.size() || !(real >= 0 && real < 1e18))
    return std::nullopt;
  const double factor = unit == TimeUnit::seconds ? 1e3 : unit == TimeUnit::microseconds ? 1e-3 : 1e-6;
  return fmt::format("{:.0f}", std::floor(real * factor));
}

}  // namespace

std::string message_identity(std::string_view topic, std::uint32_t partition, std::uint64_t offset) {
  if (topic.size() <= kMostTopic) return fmt::format("{}/{}/{}", topic, partition, offset);
  return fmt::format("{}~{:016x}/{}/{}", topic.substr(0, kMostTopic - 17), XXH3_64bits(topic.data(), topic.size()),
                     partition, offset);
}

std::optional<Mapper::Found> Mapper::find(const Mapping& mapping, const MessageView& message,
                                          dom::element value) const {
  const auto text = [](std::string_view found) { return Found{json_quoted(found), std::string(found), true, true}; };
  const auto number = [](auto found) { return Found{std::to_string(found), std::to_string(found), true, false}; };
  switch (mapping.origin) {
    case Origin::topic:
      return text(feed_.topic);
    case Origin::partition:
      return number(message.partition);
    case Origin::offset:
      return number(message.offset);
    case Origin::timestamp:
      if (!message.timestamp_ms) return std::nullopt;
      return number(*message.timestamp_ms);
    case Origin::key:
      if (!message.key) return std::nullopt;
      return text(*message.key);
    case Origin::header: {
      const auto header = message.header ? message.header(mapping.path[0]) : std::nullopt;
      if (!header) return std::nullopt;
      return text(*header);
    }
    case Origin::constant:
      return Found{mapping.constant, mapping.constant, true, mapping.constant.starts_with('"')};
    case Origin::value:
      break;
  }
  std::optional<dom::element> found = value;
  for (const std::string& name : mapping.path) {
    if (found) found = child(*found, name);
  }
  if (!found || found->is_null()) return std::nullopt;
  std::string_view string;
  if (found->get(string) == simdjson::SUCCESS) return text(string);
  const std::string json = simdjson::minify(*found);
  return Found{json, json, !found->is_object() && !found->is_array(), false};
}

Result<std::optional<std::string>> Mapper::translate(const Mapping& mapping, std::optional<Found> found) {
  // Only the description may say so; the same text in a message is text.
  const auto becomes = [](const std::string& json) {
    return json == json_quoted(kIgnore) ? std::nullopt : std::optional(json);
  };
  if (!found) return becomes(mapping.otherwise);
  if (!mapping.values.empty()) {
    const auto named = found->is_scalar ? mapping.values.find(found->text) : mapping.values.end();
    if (named != mapping.values.end()) return becomes(named->second);
    if (!mapping.otherwise.empty()) return becomes(mapping.otherwise);
    return Error::reject(
        fmt::format("{}: {} is not among the mapping's values", mapping.field, found->json.substr(0, 200)));
  }
  if (mapping.origin == Origin::constant) return found->json;
  // What a field wants as a number often comes as text.
  if (found->is_text && event::is_number_field(mapping.field) && is_json_number(found->text)) {
    found->json = found->text;
    found->is_text = false;
  }
  if (found->is_scalar && !found->is_text && event::is_time_field(mapping.field) && is_json_number(found->json)) {
    const auto time = millis(found->json, mapping.unit);
    if (!time) return Error::reject(fmt::format("{}: {} is no time", mapping.field, found->json.substr(0, 100)));
    return time;
  }
  return std::optional(std::move(found->json));
}

Result<const Mapped*> Mapper::map(const MessageView& message, dom::element value) {
  mapped_.is_ignored = false;
  mapped_.event.clear();
  mapped_.user_agent.clear();
  props_.clear();
  bool has_external_id = false;
  bool has_session_id = false;
  bool has_seq = false;
  bool has_time = false;
  JsonObject event(mapped_.event);
  for (const Mapping& mapping : feed_.mappings) {
    const std::string& field = mapping.field;
    auto found = find(mapping, message, value);
    if (field == "user_agent") {
      if (found && found->is_text) mapped_.user_agent = found->text;
      continue;
    }
    const auto translated = translate(mapping, std::move(found));
    if (!translated) return translated.error();
    mapped_.is_ignored = !translated->has_value();
    if (mapped_.is_ignored) return &mapped_;
    const std::string* json = &**translated;
    if (json->empty()) continue;
    if (field.starts_with(kProps)) {
      props_ += props_.empty() ? '{' : ',';
      append_json_string(props_, std::string_view(field).substr(kProps.size()));
      props_ += ':';
      props_ += *json;
      continue;
    }
    has_external_id = has_external_id || (field == "external_id" && *json != "\"\"");
    has_session_id = has_session_id || field == "session_id";
    has_seq = has_seq || field == "seq";
    has_time = has_time || field == "event_time" || field == "time" || field == "ts";
    event.raw(field, *json);
  }
  // "props" may be mapped as a whole, too; both are kept.
  if (!props_.empty()) event.raw("props", props_ + "}");
  if (!has_time && message.timestamp_ms) event.number("event_time", *message.timestamp_ms);
  if (!has_external_id && !(has_session_id && has_seq))
    event.text("external_id", message_identity(feed_.topic, message.partition, message.offset));
  event.end();
  return &mapped_;
}

}  // namespace marquee::feed
