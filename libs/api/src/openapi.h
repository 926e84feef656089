#pragma once

#include <string_view>

namespace marquee::api {

extern const std::string_view kOpenApiYaml;  ///< Made from api/openapi.yaml by the build.

}  // namespace marquee::api
