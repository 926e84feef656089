#include "openapi.h"

#include <yaml-cpp/yaml.h>

#include <nlohmann/json.hpp>
#include <string>

#include "marquee/api/api.h"

namespace marquee::api {
namespace {

nlohmann::ordered_json scalar(const YAML::Node& node) {
  const std::string& text = node.Scalar();
  if (node.Tag() == "!") return text;  // Quoted.
  bool truth = false;
  if ((text == "true" || text == "false") && YAML::convert<bool>::decode(node, truth)) return truth;
  long long whole = 0;
  if (YAML::convert<long long>::decode(node, whole)) return whole;
  double real = 0;
  if (YAML::convert<double>::decode(node, real)) return real;
  return text;
}

nlohmann::ordered_json to_json(const YAML::Node& node) {
  switch (node.Type()) {
    case YAML::NodeType::Scalar:
      return scalar(node);
    case YAML::NodeType::Sequence: {
      auto list = nlohmann::ordered_json::array();
      for (const auto& item : node) list.push_back(to_json(item));
      return list;
    }
    case YAML::NodeType::Map: {
      auto object = nlohmann::ordered_json::object();
      for (const auto& entry : node) object[entry.first.Scalar()] = to_json(entry.second);
      return object;
    }
    default:
      return nullptr;
  }
}

}  // namespace

const std::string& openapi_json() {
  static const std::string text = to_json(YAML::Load(openapi_yaml())).dump();
  return text;
}

}  // namespace marquee::api
