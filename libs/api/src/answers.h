// What the API's handlers share: JSON answers, errors, times, parameters.
#pragma once

#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "marquee/base/result.h"
#include "marquee/http/message.h"

namespace marquee::api {

using Json = nlohmann::ordered_json;

inline constexpr std::size_t kShownNotices = 50;  ///< Of one alert or delivery.

[[nodiscard]] std::string json_text(const Json& body);
[[nodiscard]] http::Response json_answer(unsigned status, const Json& body);
/// Of what was written as text because a Json of it would be too slow to make.
[[nodiscard]] http::Response json_text_answer(unsigned status, std::string body);
[[nodiscard]] http::Response no_content();
/// {"error":{"status","message","field"}}
[[nodiscard]] http::Response error_answer(unsigned status, std::string_view message, std::string_view field = {});
/// An error of a library: reject is 400 with the field that its message begins with ("field: why"), retry 503 with
/// Retry-After, give_up 500.
[[nodiscard]] http::Response error_answer(const Error& error);

/// Of an answer in Server-Sent Events, which no cache or proxy may hold back.
[[nodiscard]] http::Response event_stream_head();
/// A message of such an answer; `data` is one line.
[[nodiscard]] std::string stream_event(std::string_view name, std::string_view data);

/// "2026-11-24T10:00:00.123Z"
[[nodiscard]] std::string time_text(std::int64_t ms);
[[nodiscard]] Json time_or_null(std::optional<std::int64_t> ms);

/// Whether the asker wants no answer from a cache (RFC 9111, no-cache).
[[nodiscard]] bool wants_fresh(const http::Request& request);

/// A query parameter as a time in milliseconds; Action::reject names it.
[[nodiscard]] Result<std::optional<std::int64_t>> time_parameter(const http::Request& request, const std::string& name);
[[nodiscard]] Result<std::uint64_t> whole_parameter(const http::Request& request, const std::string& name,
                                                    std::uint64_t otherwise);
/// A list separated by commas; empty entries are dropped.
[[nodiscard]] std::vector<std::string> list_parameter(const http::Request& request, const std::string& name);
/// One of `choices`, the first of them where it is not given.
[[nodiscard]] Result<std::string> choice_parameter(const http::Request& request, const std::string& name,
                                                   const std::vector<std::string>& choices);

/// The body as a JSON object whose members are all among `known`.
[[nodiscard]] Result<Json> read_object(const http::Request& request, const std::vector<std::string_view>& known);
/// The same of a value.
[[nodiscard]] Result<void> require_object(const Json& value, const std::vector<std::string_view>& known);
/// A member that is text. Action::reject where it is missing, unless `otherwise` stands for it.
[[nodiscard]] Result<std::string> text_of(const Json& body, const std::string& name,
                                          std::optional<std::string> otherwise);
/// A time as a parameter or member holds it: RFC 3339, or a day. Action::reject names it.
[[nodiscard]] Result<std::int64_t> time_of(const std::string& text, const std::string& name);

}  // namespace marquee::api
