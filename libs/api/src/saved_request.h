// The parameters of a saved report as a request.
#pragma once

#include <string_view>

#include "answers.h"

namespace marquee::api {

/// GET /v1/reports/<kind> with these parameters: text, numbers, true or false, or lists of text (a filter each; of the
/// others separated by commas). Action::reject names one that the API's document does not have.
[[nodiscard]] Result<http::Request> request_of(std::string_view kind, const Json& parameters);

}  // namespace marquee::api
