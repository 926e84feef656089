#include "response_writer.h"

#include <fmt/format.h>

#include <boost/beast/core/string.hpp>
#include <ctime>
#include <iterator>

#include "status.h"

namespace marquee::http {
namespace {

/// The Date field's value (RFC 9110, section 5.6.7), formatted anew once a second for each thread.
std::string_view date_now() {
  static constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                            "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  thread_local std::time_t shown = -1;
  thread_local std::string text;
  const std::time_t now = std::time(nullptr);
  if (now != shown) {
    std::tm parts{};
    ::gmtime_r(&now, &parts);
    text = fmt::format("{}, {:02} {} {} {:02}:{:02}:{:02} GMT", kDays[parts.tm_wday], parts.tm_mday,
                       kMonths[parts.tm_mon], parts.tm_year + 1900, parts.tm_hour, parts.tm_min, parts.tm_sec);
    shown = now;
  }
  return text;
}

bool has_line_break(std::string_view text) {
  return text.find_first_of(std::string_view("\r\n\0", 3)) != std::string_view::npos;
}

/// Fields by which the server itself frames the answer; a handler's would contradict them.
bool is_framing(std::string_view name) {
  return boost::beast::iequals(name, "Content-Length") || boost::beast::iequals(name, "Transfer-Encoding") ||
         boost::beast::iequals(name, "Connection") || boost::beast::iequals(name, "Date");
}

void append_fields(std::string& out, const Headers& fields) {
  for (const auto& [name, value] : fields.fields()) {
    // A line break in a value would let who chose the value add fields of his own.
    if (is_framing(name) || has_line_break(name) || has_line_break(value)) continue;
    out += name;
    out += ": ";
    out += value;
    out += "\r\n";
  }
}

void append_head(std::string& out, const Response& response, const AnswerForm& form) {
  if (form.has_begun) return append_fields(out, response.headers);
  out += "HTTP/1.1 ";
  fmt::format_to(std::back_inserter(out), "{} {}\r\nDate: ", response.status, reason_of(response.status));
  out += date_now();
  out += "\r\n";
  append_fields(out, response.headers);
  if (!form.keep_alive) {
    out += "Connection: close\r\n";
  } else if (form.is_http10) {
    out += "Connection: keep-alive\r\n";
  }
}

bool has_no_body(unsigned status) { return status / 100 == 1 || status == 204 || status == 304; }

}  // namespace

std::string write_first_fields(const Response& response, const AnswerForm& form) {
  std::string out;
  append_head(out, response, form);
  return out;
}

std::string write_fields(const Headers& fields) {
  std::string out;
  append_fields(out, fields);
  return out;
}

std::string write_response(const Response& response, const AnswerForm& form) {
  std::string out;
  const bool is_bare = has_no_body(response.status);
  out.reserve(192 + response.headers.fields().size() * 48 + (is_bare || form.is_head ? 0 : response.body.size()));
  append_head(out, response, form);
  if (!is_bare) {
    out += "Content-Length: ";
    out += fmt::format_int(response.body.size()).c_str();
    out += "\r\n";
  }
  out += "\r\n";
  if (!is_bare && !form.is_head) out += response.body;
  return out;
}

std::string write_stream_head(const Response& response, const AnswerForm& form) {
  std::string out;
  append_head(out, response, form);
  if (!form.is_http10 && !has_no_body(response.status)) out += "Transfer-Encoding: chunked\r\n";
  out += "\r\n";
  return out;
}

std::string write_chunk(std::string_view data) {
  std::string out = fmt::format("{:x}\r\n", data.size());
  out.reserve(out.size() + data.size() + 2);
  out += data;
  out += "\r\n";
  return out;
}

}  // namespace marquee::http
