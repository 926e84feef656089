#include "marquee/event/parser.h"

#include <fmt/format.h>

#include <algorithm>

#include "event_reader.h"
#include "marquee/event/timestamp.h"

namespace marquee::event {
namespace {

bool looks_like_lines(std::string_view body) {
  const auto end = body.find('\n');
  if (end == std::string_view::npos) return false;
  auto first = body.substr(0, end);
  while (!first.empty() && (first.back() == '\r' || first.back() == ' ')) first.remove_suffix(1);
  const auto rest = body.substr(end).find_first_not_of(" \t\r\n");
  return first.ends_with('}') && rest != std::string_view::npos;
}

std::string_view trimmed(std::string_view text) {
  const auto from = text.find_first_not_of(" \t\r\n");
  if (from == std::string_view::npos) return {};
  return text.substr(from, text.find_last_not_of(" \t\r\n") - from + 1);
}

}  // namespace

struct Parser::Impl {
  dom::parser parser;
  std::string padded;
  std::string props;

  void read_one(dom::element element, const Context& context, const UserAgent& agent,
                std::optional<std::int64_t> offset_ms, std::uint32_t index, Outcome& outcome,
                const std::function<void(const Event&)>& on_event) {
    Rejection rejection{index, "", ""};
    if (read_event(element, context, agent, offset_ms, props, rejection, on_event)) {
      ++outcome.accepted;
    } else {
      outcome.rejections.push_back(std::move(rejection));
    }
  }

  Outcome parse_lines(std::string_view body, const Context& context, const UserAgent& agent,
                      const std::function<void(const Event&)>& on_event) {
    Outcome outcome;
    std::uint32_t index = 0;
    for (std::size_t from = 0; from < body.size();) {
      const auto end = std::min(body.find('\n', from), body.size());
      const auto line = trimmed(body.substr(from, end - from));
      from = end + 1;
      if (line.empty()) continue;
      dom::element element;
      // What follows the line in `padded` serves as its padding.
      if (const auto error = parser.parse(line.data(), line.size(), false).get(element); error != simdjson::SUCCESS) {
        outcome.rejections.push_back({index, "", fmt::format("not JSON: {}", simdjson::error_message(error))});
      } else {
        read_one(element, context, agent, std::nullopt, index, outcome, on_event);
      }
      ++index;
    }
    return outcome;
  }

  Result<Outcome> parse_document(std::string_view body, const Context& context, const UserAgent& agent,
                                 const std::function<void(const Event&)>& on_event) {
    dom::element root;
    if (const auto error = parser.parse(body.data(), body.size(), false).get(root); error != simdjson::SUCCESS)
      return Error::reject(fmt::format("the body is not JSON: {}", simdjson::error_message(error)));
    std::optional<std::int64_t> offset_ms;
    dom::element events = root;
    if (root.is_object() && root["events"].get(events) == simdjson::SUCCESS) {
      if (dom::element sent; root["sent_at"].get(sent) == simdjson::SUCCESS && !sent.is_null()) {
        const auto at = time_of(sent);
        if (!at) return Error::reject("sent_at: expected milliseconds since 1970 or an RFC 3339 time");
        offset_ms = context.received_time_ms - *at;
      }
      if (!events.is_array()) return Error::reject("events: expected a list of events");
    }
    Outcome outcome;
    if (dom::array array; events.get(array) == simdjson::SUCCESS) {
      std::uint32_t index = 0;
      for (auto element : array) read_one(element, context, agent, offset_ms, index++, outcome, on_event);
    } else if (events.is_object()) {
      read_one(events, context, agent, offset_ms, 0, outcome, on_event);
    } else {
      return Error::reject("expected an event, a list of events, or {\"events\": [...]}");
    }
    return outcome;
  }

  static std::optional<std::int64_t> time_of(dom::element value) {
    double number;
    std::string_view text;
    if (value.get(number) == simdjson::SUCCESS && number >= 0 && number < static_cast<double>(kLatestMs))
      return static_cast<std::int64_t>(number);
    if (value.get(text) == simdjson::SUCCESS) return parse_timestamp(text);
    return std::nullopt;
  }
};

Parser::Parser() : impl_(std::make_unique<Impl>()) {}
Parser::~Parser() = default;
Parser::Parser(Parser&&) noexcept = default;

Result<Parser::Outcome> Parser::parse(std::string_view body, const Context& context,
                                      const std::function<void(const Event&)>& on_event) {
  body = trimmed(body);
  if (body.empty()) return Error::reject("the body is empty");
  auto& padded = impl_->padded;
  padded.reserve(body.size() + simdjson::SIMDJSON_PADDING);
  padded.assign(body);
  padded.append(simdjson::SIMDJSON_PADDING, '\0');
  const std::string_view text(padded.data(), body.size());
  const auto agent = parse_user_agent(context.user_agent);
  if (text.front() == '{' && looks_like_lines(text)) return impl_->parse_lines(text, context, agent, on_event);
  return impl_->parse_document(text, context, agent, on_event);
}

}  // namespace marquee::event
