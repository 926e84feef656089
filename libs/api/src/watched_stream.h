// A stream that may end before its writer wants it to.
#pragma once

#include <functional>
#include <memory>

#include "marquee/http/server.h"

namespace marquee::api {

/// Ends `stream`, at its next write, once `goes_on` is false: who was signed in when it began is no more.
[[nodiscard]] std::shared_ptr<http::Stream> watched(std::shared_ptr<http::Stream> stream,
                                                    std::function<bool()> goes_on);

}  // namespace marquee::api
