#include <algorithm>

#include "marquee/http/server.h"

namespace marquee::http {
namespace {

/// Takes the first segment off `path`: "/a/b" gives "a" and leaves "/b".
std::string_view take_segment(std::string_view& path) {
  path.remove_prefix(1);
  const std::size_t end = std::min(path.find('/'), path.size());
  const std::string_view segment = path.substr(0, end);
  path.remove_prefix(end);
  return segment;
}

bool is_placeholder(std::string_view segment) { return segment.starts_with('{') && segment.ends_with('}'); }

/// Whether `path` fits `pattern`; adds what stood in the place of "{name}" to `parameters`.
bool fits(std::string_view pattern, std::string_view path,
          std::vector<std::pair<std::string, std::string>>& parameters) {
  while (pattern.starts_with('/') && path.starts_with('/')) {
    const std::string_view whole_rest = path.substr(1);
    const std::string_view expected = take_segment(pattern);
    const std::string_view segment = take_segment(path);
    if (is_placeholder(expected)) {
      const std::string_view name = expected.substr(1, expected.size() - 2);
      if (name.ends_with('*')) {
        parameters.emplace_back(std::string(name.substr(0, name.size() - 1)), std::string(whole_rest));
        return true;
      }
      if (segment.empty()) return false;
      parameters.emplace_back(std::string(name), std::string(segment));
    } else if (expected != segment) {
      return false;
    }
  }
  return pattern.empty() && path.empty();
}

}  // namespace

void Router::add(std::string method, std::string pattern, Handler handler) {
  routes_.push_back({std::move(method), std::move(pattern), std::move(handler), nullptr});
  index_last();
}

void Router::add_blocking(std::string method, std::string pattern, BlockingHandler handler) {
  routes_.push_back({std::move(method), std::move(pattern), nullptr, std::move(handler)});
  index_last();
}

void Router::index_last() {
  const std::size_t last = routes_.size() - 1;
  const std::string& pattern = routes_[last].pattern;
  if (pattern.find('{') == std::string::npos) {
    literals_[pattern].push_back(last);
  } else {
    patterns_.push_back(last);
  }
}

Router::Match Router::match(std::string_view method, std::string_view path) const {
  Match match;
  const Route* get = nullptr;  // Answers HEAD where nothing else does.
  std::vector<std::pair<std::string, std::string>> get_parameters;
  const auto consider = [&](const Route& route, std::vector<std::pair<std::string, std::string>>& parameters) {
    if (route.method == method) {
      match.route = &route;
      match.parameters = std::move(parameters);
      return true;
    }
    if (method == "HEAD" && route.method == "GET" && get == nullptr) {
      get = &route;
      get_parameters = parameters;
    }
    match.allowed.push_back(route.method);
    return false;
  };

  std::vector<std::pair<std::string, std::string>> parameters;
  if (const auto literal = literals_.find(path); literal != literals_.end()) {
    for (const std::size_t i : literal->second) {
      if (consider(routes_[i], parameters)) break;
    }
  }
  for (std::size_t i = 0; i < patterns_.size() && match.route == nullptr; ++i) {
    parameters.clear();
    const Route& route = routes_[patterns_[i]];
    if (fits(route.pattern, path, parameters)) consider(route, parameters);
  }
  if (match.route == nullptr && get != nullptr) {
    match.route = get;
    match.parameters = std::move(get_parameters);
  }
  if (match.route != nullptr) {
    match.allowed.clear();
    return match;
  }
  if (std::find(match.allowed.begin(), match.allowed.end(), "GET") != match.allowed.end()) {
    match.allowed.emplace_back("HEAD");
  }
  std::sort(match.allowed.begin(), match.allowed.end());
  match.allowed.erase(std::unique(match.allowed.begin(), match.allowed.end()), match.allowed.end());
  return match;
}

}  // namespace marquee::http
