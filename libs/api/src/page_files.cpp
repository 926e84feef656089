#include "page_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "answers.h"

namespace marquee::api {
namespace {

constexpr std::string_view kPolicy =
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'; base-uri "
    "'none'";

http::Response answer_page_file(const http::Request& request, const BuiltFiles::value_type& file) {
  // The bundler puts a hash of the content into the names of what stands under assets/.
  const bool is_immutable = file.first.starts_with("/assets/");
  auto response = answer_file(request, file.second, is_immutable ? "public, max-age=31536000, immutable" : "no-cache");
  response.headers.add("Referrer-Policy", "no-referrer");
  if (file.second.type.starts_with("text/html")) response.headers.add("Content-Security-Policy", std::string(kPolicy));
  return response;
}

}  // namespace

PageFiles::PageFiles(const std::string& directory, PageSet set)
    : set_(std::move(set)), files_(directory.empty() ? BuiltFiles() : read_built_files(directory)) {}

http::Response PageFiles::answer(const http::Request& request) const {
  std::string_view path = request.path;
  path.remove_prefix(std::min(set_.base.size(), path.size()));
  if (const auto file = files_.find(path); file != files_.end()) return answer_page_file(request, *file);
  if (path.starts_with("/v1/") || path.find('.') != std::string_view::npos) {
    return error_answer(404, fmt::format("there is nothing at {}", request.path.substr(0, 200)));
  }
  const auto index = files_.find("/index.html");
  if (index != files_.end()) return answer_page_file(request, *index);
  return http::Response::text(404, fmt::format("Marquee runs, but its {} is not built: run `make build`, or set {}.\n",
                                               set_.name, set_.setting));
}

}  // namespace marquee::api
