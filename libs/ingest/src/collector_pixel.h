// GET /v1/pixel: one event as a query string, answered with an image.
#pragma once

#include <string>
#include <string_view>

#include "marquee/http/message.h"

namespace marquee::ingest {

/// The query's parameters, save `key`, as one event in JSON. An event without identity gets a random external_id: an
/// image is asked for once.
[[nodiscard]] std::string pixel_event(const http::Request& request);

/// A transparent GIF of one pixel.
[[nodiscard]] std::string_view pixel_image();

}  // namespace marquee::ingest
