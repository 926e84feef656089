// What deliveries and alerts have in common in the API.
#pragma once

#include <string>
#include <vector>

#include "answers.h"
#include "marquee/catalog/notification_book.h"
#include "marquee/notify/webhook.h"

namespace marquee::api {

[[nodiscard]] Json notice_json(const catalog::Notice& notice);
[[nodiscard]] Json notices_json(const std::vector<catalog::Notice>& notices);
/// The member `url`, if a webhook may lead there as far as its text tells.
[[nodiscard]] Result<std::string> webhook_url_of(const Json& body, const notify::WebhookOptions& options);
/// A member that is true or false; false where it is missing.
[[nodiscard]] Result<bool> truth_of(const Json& body, const std::string& name);

}  // namespace marquee::api
