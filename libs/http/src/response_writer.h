// Responses as bytes.
#pragma once

#include <string>
#include <string_view>

#include "marquee/http/message.h"

namespace marquee::http {

/// What of the request decides the form of its answer.
struct AnswerForm {
  bool is_head = false;    ///< The method is HEAD: no body.
  bool is_http10 = false;  ///< No chunks.
  bool keep_alive = true;
  bool has_begun = false;  ///< The status and some fields are out; only more fields can follow.
};

/// The status and the fields of an answer that is not yet known whole.
[[nodiscard]] std::string write_first_fields(const Response& response, const AnswerForm& form);
[[nodiscard]] std::string write_fields(const Headers& fields);

/// Head and body of a complete answer.
[[nodiscard]] std::string write_response(const Response& response, const AnswerForm& form);

/// The head of an answer whose body follows in pieces; to HTTP/1.0 the body ends with the connection.
[[nodiscard]] std::string write_stream_head(const Response& response, const AnswerForm& form);

[[nodiscard]] std::string write_chunk(std::string_view data);
inline constexpr std::string_view kLastChunk = "0\r\n\r\n";

}  // namespace marquee::http
