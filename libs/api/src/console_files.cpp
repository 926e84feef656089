#include "console_files.h"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "answers.h"

namespace marquee::api {
namespace {

constexpr std::string_view kPolicy =
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'; base-uri "
    "'none'";

std::string type_of(const std::filesystem::path& path) {
  static const std::map<std::string, std::string> types = {{".html", "text/html; charset=utf-8"},
                                                           {".js", "text/javascript; charset=utf-8"},
                                                           {".css", "text/css; charset=utf-8"},
                                                           {".svg", "image/svg+xml"},
                                                           {".json", "application/json"},
                                                           {".png", "image/png"},
                                                           {".ico", "image/x-icon"},
                                                           {".woff2", "font/woff2"},
                                                           {".webmanifest", "application/manifest+json"},
                                                           {".txt", "text/plain; charset=utf-8"}};
  const auto found = types.find(path.extension().string());
  return found == types.end() ? "application/octet-stream" : found->second;
}

}  // namespace

ConsoleFiles::ConsoleFiles(const std::string& directory) {
  std::error_code ec;
  for (std::filesystem::recursive_directory_iterator entry(directory, ec), end; !ec && entry != end;
       entry.increment(ec)) {
    const std::string name = "/" + std::filesystem::relative(entry->path(), directory, ec).generic_string();
    if (!entry->is_regular_file(ec) || name.starts_with("/.")) continue;
    std::ifstream in(entry->path(), std::ios::binary);
    File file;
    file.type = type_of(entry->path());
    file.body.assign(std::istreambuf_iterator<char>(in), {});
    file.etag = fmt::format("\"{:x}-{:x}\"", std::hash<std::string>()(file.body), file.body.size());
    // The bundler puts a hash of the content into the names of what stands under assets/.
    file.is_immutable = name.starts_with("/assets/");
    if (auto gzipped = http::encode_body(file.body, "gzip"); gzipped && gzipped->size() < file.body.size() * 9 / 10) {
      file.gzipped = std::move(*gzipped);
    }
    files_.emplace(name, std::move(file));
  }
}

http::Response ConsoleFiles::answer(const http::Request& request) const {
  if (const auto file = files_.find(request.path); file != files_.end()) return answer(request, file->second);
  if (request.path.starts_with("/v1/") || request.path.find('.') != std::string::npos) {
    return error_answer(404, fmt::format("there is nothing at {}", request.path.substr(0, 200)));
  }
  const auto index = files_.find("/index.html");
  if (index != files_.end()) return answer(request, index->second);
  return http::Response::text(
      404, "Marquee runs, but its console is not built: run `make build`, or set http.console_dir.\n");
}

http::Response ConsoleFiles::answer(const http::Request& request, const File& file) {
  http::Response response;
  response.headers.add("Content-Type", file.type);
  response.headers.add("ETag", file.etag);
  response.headers.add("Cache-Control", file.is_immutable ? "public, max-age=31536000, immutable" : "no-cache");
  response.headers.add("X-Content-Type-Options", "nosniff");
  response.headers.add("Referrer-Policy", "no-referrer");
  if (file.type.starts_with("text/html")) response.headers.add("Content-Security-Policy", std::string(kPolicy));
  if (request.headers.get("If-None-Match") == file.etag) {
    response.status = 304;
    return response;
  }
  if (!file.gzipped.empty()) {
    response.headers.add("Vary", "Accept-Encoding");
    if (request.headers.get("Accept-Encoding").find("gzip") != std::string_view::npos) {
      response.headers.add("Content-Encoding", "gzip");
      response.body = file.gzipped;
      return response;
    }
  }
  response.body = file.body;
  return response;
}

}  // namespace marquee::api
