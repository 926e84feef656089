#include "marquee/engine/request.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <utility>

#include "content_codings.h"
#include "marquee/base/base64.h"
#include "words.h"

namespace marquee::engine {
namespace {

using namespace std::string_view_literals;

constexpr std::size_t kMaxQueryId = 256;

// Parameters of the protocol that are no settings, and need nothing here. Nothing is counted against a quota.
constexpr std::array kIgnored = {"quota_key"sv, "stacktrace"sv, "http_method"sv};
constexpr std::uint32_t kProgressInterval = 100;  // Milliseconds, as in ClickHouse.
constexpr std::size_t kSmallBlock = 100;          // Rows.
constexpr std::int64_t kLongestSession = 3'600;   // Seconds, as in ClickHouse.

bool is_true(std::string_view value) { return !value.empty() && value != "0" && lower(value) != "false"; }

/// Nothing for what is none, and for 0, which asks for nothing.
std::optional<std::size_t> positive_number(std::string_view text) {
  std::size_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value == 0 ? std::nullopt : std::optional(value);
}

bool is_setting_name(std::string_view name) {
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  };
  return !name.empty() && name.size() <= 128 && std::ranges::all_of(name, plain);
}

Answer<> read_basic(std::string_view authorization, StoreRequest& request) {
  constexpr std::string_view kBasic = "basic ";
  if (authorization.empty()) return {};
  const auto bad = [] {
    return std::unexpected(failure(kAuthenticationFailed, "AUTHENTICATION_FAILED",
                                   "Invalid authentication: the Authorization header holds "
                                   "no user and password"));
  };
  if (lower(authorization.substr(0, kBasic.size())) != kBasic) {
    return std::unexpected(
        failure(kAuthenticationFailed, "AUTHENTICATION_FAILED",
                fmt::format("Invalid authentication: '{}' HTTP Authorization scheme is not supported; send Basic",
                            authorization.substr(0, std::min<std::size_t>(authorization.find(' '), 32)))));
  }
  const auto pair = decode_base64(authorization.substr(kBasic.size()));
  const std::size_t colon = pair ? pair->find(':') : std::string::npos;
  if (colon == std::string::npos) return bad();
  request.user = pair->substr(0, colon);
  request.password = pair->substr(colon + 1);
  request.has_credentials = true;
  return {};
}

void read_user_headers(const http::Headers& headers, StoreRequest& request) {
  if (headers.has("X-ClickHouse-User")) request.user = headers.get("X-ClickHouse-User");
  if (headers.has("X-ClickHouse-Key")) request.password = headers.get("X-ClickHouse-Key");
  if (headers.has("X-ClickHouse-User") || headers.has("X-ClickHouse-Key")) request.has_credentials = true;
}

std::string chosen_encoding(std::string_view accepted) {
  const std::string wishes = lower(accepted);
  for (const std::string_view encoding : {"zstd"sv, "lz4"sv, "gzip"sv, "br"sv, "deflate"sv, "xz"sv}) {
    if (wishes.find(encoding) != std::string::npos) return std::string(encoding);
  }
  return {};
}

/// As the setting network_compression_method names it; the engine refuses what it does not know.
BlockMethod block_method(std::string_view name) {
  const std::string method = lower(name);
  if (method == "zstd") return BlockMethod::zstd;
  return method == "none" ? BlockMethod::none : BlockMethod::lz4;
}

/// Parameters of a session. False where `name` is none.
bool read_session(const std::string& name, std::string& value, StoreRequest& request) {
  if (name == "session_id") {
    request.session_id = std::move(value);
  } else if (name == "session_timeout") {
    std::int64_t seconds = -1;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), seconds);
    const bool whole = error == std::errc() && end == value.data() + value.size();
    request.session_timeout = std::chrono::seconds(whole ? seconds : -1);
  } else if (name == "session_check") {
    request.session_must_exist = is_true(value);
  } else if (name == "close_session") {
    request.closes_session = is_true(value);
  } else {
    return false;
  }
  return true;
}

/// From settings that are for whoever writes the answer. The engine gets them too, and refuses what they cannot be.
std::optional<std::chrono::milliseconds> progress_interval(const Settings& settings) {
  bool is_wanted = false;
  std::uint32_t milliseconds = kProgressInterval;
  for (const auto& [name, value] : settings) {
    if (name == "send_progress_in_http_headers") is_wanted = is_true(value);
    if (name == "http_headers_progress_interval_ms") {
      std::from_chars(value.data(), value.data() + value.size(), milliseconds);
    }
  }
  return is_wanted ? std::optional(std::chrono::milliseconds(milliseconds)) : std::nullopt;
}

/// The boundary of a body of multipart/form-data, or nothing.
std::string multipart_boundary(std::string_view content_type) {
  constexpr std::string_view kMark = "boundary=";
  const std::string plain = lower(content_type);
  if (!plain.starts_with("multipart/form-data")) return {};
  const std::size_t at = plain.find(kMark);
  if (at == std::string::npos) return {};
  std::string_view boundary = content_type.substr(at + kMark.size());
  boundary = boundary.substr(0, boundary.find(';'));
  if (boundary.size() >= 2 && boundary.front() == '"' && boundary.back() == '"') {
    boundary = boundary.substr(1, boundary.size() - 2);
  }
  return std::string(boundary);
}

bool is_of_external_table(std::string_view name) {
  if (name == "default_format") return false;
  return name.ends_with("_structure") || name.ends_with("_types") || name.ends_with("_format");
}

Answer<> check(const StoreRequest& request) {
  if (request.query_id.size() > kMaxQueryId) {
    return std::unexpected(failure(kBadArguments, "BAD_ARGUMENTS", "the query_id is longer than 256 bytes"));
  }
  if (request.session_id.size() > kMaxQueryId) {
    return std::unexpected(failure(kBadArguments, "BAD_ARGUMENTS", "the session_id is longer than 256 bytes"));
  }
  const auto seconds = request.session_timeout.count();
  if (seconds < 0 || seconds > kLongestSession) {
    return std::unexpected(failure(kInvalidSessionTimeout, "INVALID_SESSION_TIMEOUT",
                                   fmt::format("session_timeout must be from 0 to {} seconds", kLongestSession)));
  }
  return {};
}

/// Parameters of the protocol. False where `name` is none, and so a setting.
bool read_protocol(const std::string& name, std::string& value, StoreRequest& request) {
  if (name == "query") {
    request.query = std::move(value);
  } else if (name == "user") {
    request.user = std::move(value);
    request.has_credentials = true;
  } else if (name == "password") {
    request.password = std::move(value);
    request.has_credentials = true;
  } else if (name == "database") {
    request.database = std::move(value);
  } else if (name == "query_id") {
    request.query_id = std::move(value);
  } else if (name == "default_format") {
    if (!value.empty()) request.format = std::move(value);
  } else if (name == "buffer_size") {
    request.buffer_size = positive_number(value);
  } else if (name == "add_http_cors_header") {
    request.adds_cors_header = is_true(value);
  } else if (name == "wait_end_of_query") {
    request.wait_end_of_query = is_true(value);
  } else if (name == "role") {
    request.roles.push_back(std::move(value));
  } else if (name == "compress") {
    request.wants_blocks = is_true(value);
  } else if (name == "decompress") {
    request.sends_blocks = is_true(value);
  } else if (name == "client_protocol_version") {
    // What is no number asks for nothing.
    std::from_chars(value.data(), value.data() + value.size(), request.protocol_version);
  } else {
    return read_session(name, value, request) || std::ranges::find(kIgnored, name) != kIgnored.end();
  }
  return true;
}

}  // namespace

Answer<StoreRequest> interpret(const http::Request& http_request) {
  constexpr std::string_view kParameter = "param_";
  StoreRequest request;
  request.reading_only = http_request.method != "POST";  // HEAD is answered as GET.
  const http::Headers& headers = http_request.headers;
  if (auto read = read_basic(headers.get("Authorization"), request); !read) return std::unexpected(read.error());
  read_user_headers(headers, request);
  request.remote_address = http_request.remote_address;
  request.user_agent = headers.get("User-Agent");
  request.database = headers.get("X-ClickHouse-Database");
  if (headers.has("X-ClickHouse-Format")) request.format = headers.get("X-ClickHouse-Format");
  request.content_encoding = lower(headers.get("Content-Encoding"));
  request.boundary = multipart_boundary(headers.get("Content-Type"));

  bool http_compression = false;
  for (auto& [name, value] : http_request.query_parameters()) {
    std::string text = value;
    if (name.starts_with(kParameter)) {
      request.parameters.emplace_back(name.substr(kParameter.size()), std::move(text));
    } else if (name == "enable_http_compression") {
      http_compression = is_true(text);
    } else if (!request.boundary.empty() && is_of_external_table(name)) {
      request.externals.emplace_back(name, std::move(text));
    } else if (!read_protocol(name, text, request)) {
      if (!is_setting_name(name)) {
        return std::unexpected(
            failure(kUnknownSetting, "UNKNOWN_SETTING", fmt::format("Unknown setting '{}'", name.substr(0, 128))));
      }
      if (name == "network_compression_method") request.block_method = block_method(text);
      request.settings.emplace_back(name, std::move(text));
    }
  }
  request.progress_interval = progress_interval(request.settings);
  for (const auto& [name, value] : request.settings) {
    if (name == "max_block_size")
      request.sends_each_block = positive_number(value).value_or(kSmallBlock + 1) <= kSmallBlock;
    if (name == "http_write_exception_in_output_format") request.writes_exception_in_format = is_true(value);
    if (name == "http_response_buffer_size") request.buffer_size = positive_number(value);
    if (name == "http_wait_end_of_query") request.wait_end_of_query = request.wait_end_of_query || is_true(value);
  }
  if (http_compression) request.accepted_encoding = chosen_encoding(headers.get("Accept-Encoding"));
  if (auto checked = check(request); !checked) return std::unexpected(checked.error());
  return request;
}

Answer<std::string> decode_request_body(std::string body, const StoreRequest& request, std::size_t max_bytes) {
  const std::string& encoding = request.content_encoding;
  if (encoding == "lz4") {
    auto decoded = decode_lz4_frames(body, max_bytes);
    if (!decoded) return decoded;
    body = std::move(*decoded);
  } else if (encoding == "br") {
    auto decoded = decode_brotli(body, max_bytes);
    if (!decoded) return decoded;
    body = std::move(*decoded);
  } else if (encoding == "xz") {
    auto decoded = decode_xz(body, max_bytes);
    if (!decoded) return decoded;
    body = std::move(*decoded);
  } else if (!encoding.empty() && encoding != "identity") {
    auto decoded = http::decode_body(body, encoding, max_bytes);
    if (!decoded) return std::unexpected(failure(kIncorrectData, "INCORRECT_DATA", decoded.error().message));
    body = std::move(*decoded);
  }
  return request.sends_blocks ? decode_blocks(body, max_bytes) : body;
}

}  // namespace marquee::engine
