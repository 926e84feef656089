#pragma once

#include <string>

namespace marquee::api {

/// The text of api/openapi.yaml; the build makes it.
[[nodiscard]] std::string openapi_yaml();

}  // namespace marquee::api
