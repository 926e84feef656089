#include "marquee/event/user_agent.h"

#include <algorithm>
#include <string>

#include "marquee/event/parser.h"

namespace marquee::event {
namespace {

struct Mark {
  std::string_view token;  ///< In lower case.
  std::string_view name;
};

// First match wins: a token that others imitate stands after those that imitate it.
constexpr Mark kBrowsers[] = {
    {"edg/", "edge"},      {"edga/", "edge"},       {"opr/", "opera"},     {"samsungbrowser/", "samsung"},
    {"ucbrowser/", "uc"},  {"firefox/", "firefox"}, {"fxios/", "firefox"}, {"crios/", "chrome"},
    {"chrome/", "chrome"}, {"safari/", "safari"}};
constexpr Mark kSystems[] = {{"android", "android"}, {"iphone", "ios"},     {"ipad", "ios"},   {"windows", "windows"},
                             {"cros ", "chromeos"},  {"mac os x", "macos"}, {"linux", "linux"}};
constexpr std::string_view kBots[] = {"bot",        "crawl",     "spider",         "slurp",  "facebookexternalhit",
                                      "preview",    "headless",  "lighthouse",     "curl/",  "wget/",
                                      "python",     "java/",     "go-http-client", "okhttp", "axios",
                                      "node-fetch", "phantomjs", "httpclient",     "scrapy", "pingdom",
                                      "monitor",    "libwww"};

bool contains(std::string_view text, std::string_view token) { return text.find(token) != std::string_view::npos; }

template <std::size_t N>
std::string_view first_match(std::string_view text, const Mark (&marks)[N]) {
  for (const auto& mark : marks)
    if (contains(text, mark.token)) return mark.name;
  return {};
}

std::string lower(std::string_view text) {
  std::string result(text.substr(0, 512));
  std::ranges::transform(result, result.begin(),
                         [](char c) { return static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c); });
  return result;
}

}  // namespace

UserAgent parse_user_agent(std::string_view text) {
  if (text.empty()) return {};
  const auto agent = lower(text);
  UserAgent result;
  result.is_bot = std::ranges::any_of(kBots, [&](std::string_view token) { return contains(agent, token); });
  result.os = first_match(agent, kSystems);
  result.browser = first_match(agent, kBrowsers);
  const bool is_tablet = contains(agent, "ipad") || contains(agent, "tablet") ||
                         (contains(agent, "android") && !contains(agent, "mobile"));
  if (is_tablet) {
    result.device = "tablet";
  } else if (contains(agent, "mobile") || contains(agent, "iphone")) {
    result.device = "mobile";
  } else if (!result.os.empty()) {
    result.device = "desktop";
  }
  return result;
}

bool looks_like_bot(std::string_view user_agent) { return parse_user_agent(user_agent).is_bot; }

}  // namespace marquee::event
