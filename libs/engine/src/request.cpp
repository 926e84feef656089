#include "marquee/engine/request.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <utility>

#include "marquee/base/base64.h"

namespace marquee::engine {
namespace {

using namespace std::string_view_literals;

constexpr std::size_t kMaxQueryId = 256;

// Parameters of the protocol that are no settings, and need nothing here. Sessions are not kept: each request is one.
constexpr std::array kIgnored = {"session_id"sv,    "session_timeout"sv,     "session_check"sv, "buffer_size"sv,
                                 "quota_key"sv,     "stacktrace"sv,          "http_method"sv,   "role"sv,
                                 "close_session"sv, "add_http_cors_header"sv};

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return out;
}

bool is_true(std::string_view value) { return !value.empty() && value != "0" && lower(value) != "false"; }

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
    return std::unexpected(
        failure(kAuthenticationFailed, "AUTHENTICATION_FAILED", "the Authorization header is not Basic"));
  };
  if (lower(authorization.substr(0, kBasic.size())) != kBasic) return bad();
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
  for (const std::string_view encoding : {"zstd"sv, "lz4"sv, "gzip"sv}) {
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
  } else if (name == "wait_end_of_query") {
    request.wait_end_of_query = is_true(value);
  } else if (name == "compress") {
    request.wants_blocks = is_true(value);
  } else if (name == "decompress") {
    request.sends_blocks = is_true(value);
  } else if (name == "client_protocol_version") {
    // What is no number asks for nothing.
    std::from_chars(value.data(), value.data() + value.size(), request.protocol_version);
  } else {
    return std::ranges::find(kIgnored, name) != kIgnored.end();
  }
  return true;
}

}  // namespace

Answer<StoreRequest> interpret(const http::Request& http_request) {
  constexpr std::string_view kParameter = "param_";
  StoreRequest request;
  request.reading_only = http_request.method == "GET";
  const http::Headers& headers = http_request.headers;
  if (auto read = read_basic(headers.get("Authorization"), request); !read) return std::unexpected(read.error());
  read_user_headers(headers, request);
  request.database = headers.get("X-ClickHouse-Database");
  if (headers.has("X-ClickHouse-Format")) request.format = headers.get("X-ClickHouse-Format");
  request.content_encoding = lower(headers.get("Content-Encoding"));

  bool http_compression = false;
  for (auto& [name, value] : http_request.query_parameters()) {
    std::string text = value;
    if (name.starts_with(kParameter)) {
      request.parameters.emplace_back(name.substr(kParameter.size()), std::move(text));
    } else if (name == "enable_http_compression") {
      http_compression = is_true(text);
    } else if (!read_protocol(name, text, request)) {
      if (!is_setting_name(name)) {
        return std::unexpected(
            failure(kUnknownSetting, "UNKNOWN_SETTING", fmt::format("Unknown setting '{}'", name.substr(0, 128))));
      }
      if (name == "network_compression_method") request.block_method = block_method(text);
      request.settings.emplace_back(name, std::move(text));
    }
  }
  if (http_compression) request.accepted_encoding = chosen_encoding(headers.get("Accept-Encoding"));
  if (request.query_id.size() > kMaxQueryId) {
    return std::unexpected(failure(kBadArguments, "BAD_ARGUMENTS", "the query_id is longer than 256 bytes"));
  }
  return request;
}

Answer<std::string> decode_request_body(std::string body, const StoreRequest& request, std::size_t max_bytes) {
  const std::string& encoding = request.content_encoding;
  if (encoding == "lz4") {
    auto decoded = decode_lz4_frames(body, max_bytes);
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
