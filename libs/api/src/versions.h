// Changes that hold only for the version that was seen: entity tags and If-Match (RFC 9110, sections 8.8.3 and 13.1.1).
#pragma once

#include <cstdint>
#include <string_view>

#include "answers.h"
#include "marquee/catalog/catalog.h"

namespace marquee::api {

/// What If-Match asks for; none where it is missing or "*". A tag that was never given matches nothing.
[[nodiscard]] catalog::Version wanted_version(const http::Request& request);

/// The answer with the version as its ETag.
[[nodiscard]] http::Response with_version(http::Response answer, std::int64_t version);

/// Of a change that was not made: 404, 412 or 409. `thing` is "saved report", ...
[[nodiscard]] http::Response not_done(catalog::Edit edit, std::string_view thing, const http::Request& request);

/// 204 or not_done.
[[nodiscard]] http::Response removed_answer(const Result<catalog::Edit>& edit, std::string_view thing,
                                            const http::Request& request);

}  // namespace marquee::api
