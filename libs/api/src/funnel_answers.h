// /v1/reports/funnel: definitions in, reports out.
#pragma once

#include "answers.h"
#include "marquee/analytics/funnel.h"

namespace marquee::api {

/// The definition that a GET asks for, in the form of a POST's body. Action::reject names the parameter.
[[nodiscard]] Result<Json> funnel_definition(const http::Request& request);
/// The body of a POST, as it stands there.
[[nodiscard]] Result<Json> funnel_body(const http::Request& request);

/// Action::reject names a member that there is not.
[[nodiscard]] Result<void> check_funnel_members(const Json& definition);

/// {"types","filter"}: which events match. Action::reject names the member.
[[nodiscard]] Result<analytics::FunnelMatch> read_match(const Json& body);

/// What the definition asks for, without its scope. Action::reject names the member.
[[nodiscard]] Result<analytics::FunnelRequest> read_funnel(const Json& definition);

[[nodiscard]] Json funnel_json(const analytics::FunnelRequest& asked, const analytics::FunnelReport& report);

}  // namespace marquee::api
