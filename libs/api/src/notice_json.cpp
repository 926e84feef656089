#include "notice_json.h"

#include <fmt/format.h>

#include "marquee/notify/address.h"

namespace marquee::api {
namespace {

Json time_or_none(std::int64_t ms) { return ms == 0 ? Json(nullptr) : Json(time_text(ms)); }

}  // namespace

Json notice_json(const catalog::Notice& notice) {
  const bool is_waiting = notice.status == catalog::Notice::Status::waiting;
  return {{"id", notice.id},
          {"event", notice.event},
          {"due", time_text(notice.due_ms)},
          {"status", name_of(notice.status)},
          {"tries", notice.tries},
          {"http_status", notice.http_status == 0 ? Json(nullptr) : Json(notice.http_status)},
          {"error", notice.error},
          {"next_try", is_waiting ? Json(time_text(notice.next_try_ms)) : Json(nullptr)},
          {"done", time_or_none(notice.done_ms)}};
}

Json notices_json(const std::vector<catalog::Notice>& notices) {
  Json list = Json::array();
  for (const auto& notice : notices) list.push_back(notice_json(notice));
  return list;
}

Result<std::string> webhook_url_of(const Json& body, const notify::WebhookOptions& options) {
  auto text = text_of(body, "url", std::nullopt);
  if (!text) return text;
  const auto url = notify::parse_webhook_url(*text);
  if (!url) return url.error();
  // What a name leads to is looked at when it is sent; an address can be told at once.
  boost::system::error_code is_name;
  const auto address = boost::asio::ip::make_address(url->host, is_name);
  if (!is_name && !options.allows_private && !notify::is_public(address))
    return Error::reject(fmt::format("url: {} is no public address, and webhooks.allow_private is false", url->host));
  return text;
}

Result<bool> truth_of(const Json& body, const std::string& name) {
  const auto found = body.find(name);
  if (found == body.end()) return false;
  if (!found->is_boolean()) return Error::reject(name + ": expected true or false");
  return found->get<bool>();
}

}  // namespace marquee::api
