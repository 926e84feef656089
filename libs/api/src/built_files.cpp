#include "built_files.h"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <iterator>

namespace marquee::api {
namespace {

std::string file_type_of(const std::filesystem::path& path) {
  static const std::map<std::string, std::string> types = {{".html", "text/html; charset=utf-8"},
                                                           {".js", "text/javascript; charset=utf-8"},
                                                           {".mjs", "text/javascript; charset=utf-8"},
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

BuiltFiles read_built_files(const std::string& directory) {
  BuiltFiles files;
  std::error_code ec;
  for (std::filesystem::recursive_directory_iterator entry(directory, ec), end; !ec && entry != end;
       entry.increment(ec)) {
    const std::string name = "/" + std::filesystem::relative(entry->path(), directory, ec).generic_string();
    if (!entry->is_regular_file(ec) || name.starts_with("/.")) continue;
    std::ifstream in(entry->path(), std::ios::binary);
    BuiltFile file;
    file.type = file_type_of(entry->path());
    file.body.assign(std::istreambuf_iterator<char>(in), {});
    file.etag = fmt::format("\"{:x}-{:x}\"", std::hash<std::string>()(file.body), file.body.size());
    if (auto gzipped = http::encode_body(file.body, "gzip"); gzipped && gzipped->size() < file.body.size() * 9 / 10) {
      file.gzipped = std::move(*gzipped);
    }
    files.emplace(name, std::move(file));
  }
  return files;
}

http::Response answer_file(const http::Request& request, const BuiltFile& file, std::string_view cache_control) {
  http::Response response;
  response.headers.add("Content-Type", file.type);
  response.headers.add("ETag", file.etag);
  response.headers.add("Cache-Control", std::string(cache_control));
  response.headers.add("X-Content-Type-Options", "nosniff");
  if (!file.gzipped.empty()) response.headers.add("Vary", "Accept-Encoding");
  if (request.headers.get("If-None-Match") == file.etag) {
    response.status = 304;
    return response;
  }
  if (!file.gzipped.empty() && request.headers.get("Accept-Encoding").find("gzip") != std::string_view::npos) {
    response.headers.add("Content-Encoding", "gzip");
    response.body = file.gzipped;
    return response;
  }
  response.body = file.body;
  return response;
}

}  // namespace marquee::api
