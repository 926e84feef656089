#include "saved_request.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "marquee/api/api.h"

namespace marquee::api {
namespace {

/// What the API's document says that the report takes; the format is asked for with each answer.
std::vector<std::string> parameters_of(std::string_view kind) {
  static const Json document = Json::parse(openapi_json());
  std::vector<std::string> names;
  const auto path = document.at("paths").find(fmt::format("/v1/reports/{}", kind));
  if (path == document.at("paths").end()) return names;
  for (const auto& parameter : path->at("get").at("parameters")) {
    const auto found = parameter.find("$ref");
    const Json& described =
        found == parameter.end() ? parameter : document.at(Json::json_pointer(found->get<std::string>().substr(1)));
    if (described.at("name") != "format") names.push_back(described.at("name").get<std::string>());
  }
  return names;
}

/// The values of a parameter as an address has them.
Result<std::vector<std::string>> texts_of(const std::string& name, const Json& value) {
  if (value.is_string()) return std::vector{value.get<std::string>()};
  if (value.is_number() || value.is_boolean()) return std::vector{value.dump()};
  const bool is_list = value.is_array() && std::ranges::all_of(value, [](const Json& one) { return one.is_string(); });
  if (!is_list) return Error::reject(fmt::format("parameters: {}: expected text, a number or a list of texts", name));
  auto texts = value.get<std::vector<std::string>>();
  if (name != "filter") texts = {fmt::format("{}", fmt::join(texts, ","))};
  return texts;
}

}  // namespace

Result<http::Request> request_of(std::string_view kind, const Json& parameters) {
  const auto known = parameters_of(kind);
  http::Request request;
  request.method = "GET";
  for (const auto& [name, value] : parameters.items()) {
    if (std::ranges::find(known, name) == known.end())
      return Error::reject(
          fmt::format("parameters: {} has no \"{}\"; there are {}", kind, name.substr(0, 64), fmt::join(known, ", ")));
    const auto texts = texts_of(name, value);
    if (!texts) return texts.error();
    for (const auto& text : *texts)
      request.query += fmt::format("{}{}={}", request.query.empty() ? "" : "&", name, http::percent_encode(text));
  }
  return request;
}

}  // namespace marquee::api
