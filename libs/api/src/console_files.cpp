#include "console_files.h"

#include <fmt/format.h>

#include "answers.h"

namespace marquee::api {
namespace {

constexpr std::string_view kPolicy =
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'; base-uri "
    "'none'";

http::Response answer_console_file(const http::Request& request, const BuiltFiles::value_type& file) {
  // The bundler puts a hash of the content into the names of what stands under assets/.
  const bool is_immutable = file.first.starts_with("/assets/");
  auto response = answer_file(request, file.second, is_immutable ? "public, max-age=31536000, immutable" : "no-cache");
  response.headers.add("Referrer-Policy", "no-referrer");
  if (file.second.type.starts_with("text/html")) response.headers.add("Content-Security-Policy", std::string(kPolicy));
  return response;
}

}  // namespace

http::Response ConsoleFiles::answer(const http::Request& request) const {
  if (const auto file = files_.find(request.path); file != files_.end()) return answer_console_file(request, *file);
  if (request.path.starts_with("/v1/") || request.path.find('.') != std::string::npos) {
    return error_answer(404, fmt::format("there is nothing at {}", request.path.substr(0, 200)));
  }
  const auto index = files_.find("/index.html");
  if (index != files_.end()) return answer_console_file(request, *index);
  return http::Response::text(
      404, "Marquee runs, but its console is not built: run `make build`, or set http.console_dir.\n");
}

}  // namespace marquee::api
