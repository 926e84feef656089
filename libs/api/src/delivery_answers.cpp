#include "delivery_answers.h"

#include <chrono>

#include "marquee/notify/schedule.h"
#include "notice_json.h"
#include "versions.h"

namespace marquee::api {
namespace {

constexpr std::string_view kDeliveryThing = "delivery";
constexpr std::array kDeliveryFormats = {std::string_view("json"), std::string_view("csv"), std::string_view("parquet"),
                                         std::string_view("png")};

Json delivery_json(const catalog::Delivery& delivery) {
  return {{"id", delivery.id},
          {"report", delivery.report_id},
          {"url", delivery.url},
          {"format", delivery.format},
          {"schedule", Json::parse(delivery.schedule)},
          {"owner", delivery.owner},
          {"is_paused", delivery.is_paused},
          {"pause_reason", delivery.pause_reason},
          {"made", time_text(delivery.made_ms)},
          {"changed", time_text(delivery.changed_ms)},
          {"next_due", delivery.is_paused ? Json(nullptr) : Json(time_text(delivery.next_due_ms))},
          {"failures", delivery.failures}};
}

}  // namespace

Result<catalog::Delivery> DeliveryAnswers::described(const http::Request& request) const {
  const auto body = read_object(request, {"report", "url", "format", "schedule", "owner", "is_paused"});
  if (!body) return body.error();
  catalog::Delivery delivery;
  auto report = text_of(*body, "report", std::nullopt);
  auto url = webhook_url_of(*body, webhook_);
  auto format = text_of(*body, "format", "json");
  auto owner = text_of(*body, "owner", request.actor);
  for (const auto* text : {&report, &url, &format, &owner})
    if (!*text) return text->error();
  if (std::ranges::find(kDeliveryFormats, *format) == kDeliveryFormats.end())
    return Error::reject("format: expected one of json, csv, parquet, png");
  const auto is_paused = truth_of(*body, "is_paused");
  if (!is_paused) return is_paused.error();
  if (!body->contains("schedule")) return Error::reject("schedule: missing");
  const auto schedule = notify::read_schedule(json_text(body->at("schedule")));
  if (!schedule) return schedule.error();
  return catalog::Delivery{.report_id = *report,
                           .url = *url,
                           .format = *format,
                           .schedule = notify::write_schedule(*schedule),
                           .owner = *owner,
                           .is_paused = *is_paused,
                           .next_due_ms = notify::next_due(*schedule, SystemClock().now()).time_since_epoch().count()};
}

http::Response DeliveryAnswers::list(const http::Request& request) {
  const auto deliveries = book_.deliveries(request.query_parameter("report").value_or(""));
  if (!deliveries) return error_answer(deliveries.error());
  Json list = Json::array();
  for (const auto& delivery : *deliveries) list.push_back(delivery_json(delivery));
  return json_answer(200, {{"deliveries", std::move(list)}});
}

http::Response DeliveryAnswers::add(const http::Request& request) {
  auto delivery = described(request);
  if (!delivery) return error_answer(delivery.error());
  const auto added = book_.add(std::move(*delivery), request.actor);
  if (!added) return error_answer(added.error());
  Json body = delivery_json(*added);
  body["secret"] = notifier_.secret_of(added->id);
  return with_version(json_answer(201, body), added->changed_ms);
}

http::Response DeliveryAnswers::get(const http::Request& request) {
  const auto delivery = book_.delivery(request.path_parameter("id"));
  if (!delivery) return error_answer(delivery.error());
  if (!*delivery) return not_done(catalog::Edit::missing, kDeliveryThing, request);
  const auto notices = book_.notices(catalog::NoticeSource::delivery, (*delivery)->id, kShownNotices);
  if (!notices) return error_answer(notices.error());
  Json body = delivery_json(**delivery);
  body["notices"] = notices_json(*notices);
  return with_version(json_answer(200, body), (*delivery)->changed_ms);
}

http::Response DeliveryAnswers::replace(const http::Request& request) {
  auto delivery = described(request);
  if (!delivery) return error_answer(delivery.error());
  delivery->id = request.path_parameter("id");
  const auto replaced = book_.replace(*delivery, wanted_version(request), request.actor);
  if (!replaced) return error_answer(replaced.error());
  if (*replaced != catalog::Edit::done) return not_done(*replaced, kDeliveryThing, request);
  return with_version(json_answer(200, delivery_json(*delivery)), delivery->changed_ms);
}

http::Response DeliveryAnswers::remove(const http::Request& request) {
  const auto id = request.path_parameter("id");
  return removed_answer(book_.remove_delivery(id, wanted_version(request), request.actor), kDeliveryThing, request);
}

http::Response DeliveryAnswers::send(const http::Request& request) {
  const auto delivery = book_.delivery(request.path_parameter("id"));
  if (!delivery) return error_answer(delivery.error());
  if (!*delivery) return not_done(catalog::Edit::missing, kDeliveryThing, request);
  const auto notice = notifier_.send_now(**delivery);
  return notice ? json_answer(202, notice_json(*notice)) : error_answer(notice.error());
}

}  // namespace marquee::api
