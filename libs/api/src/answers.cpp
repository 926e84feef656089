#include "answers.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>

#include "marquee/event/timestamp.h"

namespace marquee::api {

std::string json_text(const Json& body) {
  // Text from events is checked when it comes in; from elsewhere (a file name) it may be no UTF-8.
  return body.dump(-1, ' ', false, Json::error_handler_t::replace);
}

http::Response json_answer(unsigned status, const Json& body) { return json_text_answer(status, json_text(body)); }

http::Response json_text_answer(unsigned status, std::string body) {
  auto response = http::Response::json(status, std::move(body));
  response.headers.set("Cache-Control", "no-store");
  return response;
}

http::Response no_content() {
  http::Response answer;
  answer.status = 204;
  return answer;
}

http::Response error_answer(unsigned status, std::string_view message, std::string_view field) {
  Json error = {{"status", status}, {"message", message}};
  if (!field.empty()) error["field"] = field;
  return json_answer(status, {{"error", std::move(error)}});
}

http::Response error_answer(const Error& error) {
  if (error.action == Action::reject) {
    // A path ("ads[1].creative.kind") is one, too.
    const std::size_t colon = error.message.find(": ");
    const bool is_named = colon != std::string::npos &&
                          error.message.find_first_not_of("abcdefghijklmnopqrstuvwxyz_.[]0123456789") == colon;
    return error_answer(400, error.message, is_named ? error.message.substr(0, colon) : std::string());
  }
  if (error.action == Action::give_up) return error_answer(500, error.message);
  http::Response response = error_answer(503, error.message);
  response.headers.add("Retry-After", "1");
  return response;
}

std::string time_text(std::int64_t ms) {
  const std::chrono::sys_time<std::chrono::milliseconds> time{std::chrono::milliseconds(ms)};
  const auto days = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(days);
  const std::chrono::hh_mm_ss clock(time - days);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), clock.hours().count(),
                     clock.minutes().count(), clock.seconds().count(), clock.subseconds().count());
}

Json time_or_null(std::optional<std::int64_t> ms) { return ms ? Json(time_text(*ms)) : Json(nullptr); }

http::Response event_stream_head() {
  http::Response head;
  head.headers.add("Content-Type", "text/event-stream");
  head.headers.add("Cache-Control", "no-store");
  head.headers.add("X-Accel-Buffering", "no");
  return head;
}

std::string stream_event(std::string_view name, std::string_view data) {
  return fmt::format("event: {}\ndata: {}\n\n", name, data);
}

bool wants_fresh(const http::Request& request) {
  return request.headers.get("Cache-Control").find("no-cache") != std::string_view::npos;
}

Result<std::optional<std::int64_t>> time_parameter(const http::Request& request, const std::string& name) {
  const auto text = request.query_parameter(name);
  if (!text || text->empty()) return std::optional<std::int64_t>();
  const auto time = time_of(*text, name);
  if (!time) return time.error();
  return std::optional(*time);
}

Result<std::int64_t> time_of(const std::string& text, const std::string& name) {
  // A bare day is midnight.
  const auto time = event::parse_timestamp(text.size() == 10 ? text + "T00:00:00Z" : text);
  if (!time) return Error::reject(fmt::format("{}: expected a time like 2026-01-31T08:00:00Z", name));
  return *time;
}

Result<std::uint64_t> whole_parameter(const http::Request& request, const std::string& name, std::uint64_t otherwise) {
  const auto text = request.query_parameter(name);
  if (!text) return otherwise;
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  if (error != std::errc() || end != text->data() + text->size()) {
    return Error::reject(fmt::format("{}: expected a whole number", name));
  }
  return value;
}

std::vector<std::string> list_parameter(const http::Request& request, const std::string& name) {
  const std::string text = request.query_parameter(name).value_or("");
  std::vector<std::string> items;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t comma = std::min(text.find(',', begin), text.size());
    if (comma > begin) items.push_back(text.substr(begin, comma - begin));
    begin = comma + 1;
  }
  return items;
}

Result<std::string> choice_parameter(const http::Request& request, const std::string& name,
                                     const std::vector<std::string>& choices) {
  const std::string text = request.query_parameter(name).value_or(choices.front());
  if (std::ranges::find(choices, text) != choices.end()) return text;
  return Error::reject(fmt::format("{}: expected one of {}", name, fmt::join(choices, ", ")));
}

Result<void> require_object(const Json& value, const std::vector<std::string_view>& known) {
  if (!value.is_object()) return Error::reject("the body is no JSON object");
  for (const auto& [name, member] : value.items()) {
    if (std::ranges::find(known, name) == known.end()) {
      return Error::reject(
          fmt::format("{}: there is no such field; there are {}", name.substr(0, 64), fmt::join(known, ", ")));
    }
  }
  return {};
}

Result<Json> read_object(const http::Request& request, const std::vector<std::string_view>& known) {
  Json body = Json::parse(request.body, nullptr, /*allow_exceptions=*/false);
  if (auto is_object = require_object(body, known); !is_object) return is_object.error();
  return body;
}

Result<std::string> text_of(const Json& body, const std::string& name, std::optional<std::string> otherwise) {
  const auto found = body.find(name);
  if (found == body.end()) {
    if (otherwise) return *otherwise;
    return Error::reject(name + ": missing");
  }
  if (!found->is_string()) return Error::reject(name + ": expected text");
  return found->get<std::string>();
}

}  // namespace marquee::api
