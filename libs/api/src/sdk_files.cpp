#include "sdk_files.h"

#include "answers.h"

namespace marquee::api {
namespace {

/// The address stays when the script changes: a page has a new one after this, and takes the old one meanwhile rather
/// than wait.
constexpr std::string_view kCacheControl = "public, max-age=300, stale-while-revalidate=86400";
constexpr std::string_view kScript = "/marquee.js";

}  // namespace

void SdkFiles::add_routes(http::Router& router) const {
  const auto add = [&](const std::string& path) {
    router.add("GET", path,
               [this](const http::Request& request, http::Responder responder) { responder.send(answer(request)); });
  };
  for (const auto& [path, file] : files_)
    if (path.ends_with(".js") && path.find('/', 1) == std::string::npos) add(path);
  // Where it is not built, too: the console's router would say something else of it.
  if (!files_.contains(kScript)) add(std::string(kScript));
}

http::Response SdkFiles::answer(const http::Request& request) const {
  const auto file = files_.find(request.path);
  auto response = file == files_.end()
                      ? error_answer(404, "the browser SDK is not built: run `make build`, or set http.sdk_dir")
                      : answer_file(request, file->second, kCacheControl);
  // Pages of other origins load it, those that are isolated (COEP) and those that pin its hash (SRI), too.
  response.headers.add("Access-Control-Allow-Origin", "*");
  response.headers.add("Cross-Origin-Resource-Policy", "cross-origin");
  return response;
}

}  // namespace marquee::api
