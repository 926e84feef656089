#include "alert_answers.h"

#include <fmt/format.h>

#include "marquee/notify/alert.h"
#include "notice_json.h"
#include "report_json.h"
#include "versions.h"

namespace marquee::api {
namespace {

constexpr std::string_view kAlertThing = "alert";

std::int64_t now_ms() { return SystemClock().now().time_since_epoch().count(); }

Json reading_json(const notify::Reading& reading) {
  return {{"value", number_or_null(reading.value)},
          {"low", number_or_null(reading.low)},
          {"high", number_or_null(reading.high)},
          {"count", reading.count}};
}

Json state_json(const notify::AlertState& state) {
  const bool was_checked = state.checked_ms != 0;
  return {{"status", state.is_firing  ? "firing"
                     : state.held > 0 ? "pending"
                                      : "ok"},
          {"since", state.since_ms == 0 ? Json(nullptr) : Json(time_text(state.since_ms))},
          {"checked", was_checked ? Json(time_text(state.checked_ms)) : Json(nullptr)},
          {"verdict", name_of(state.verdict)},
          {"held", state.held},
          {"now", reading_json(state.now)},
          {"before", state.before ? reading_json(*state.before) : Json(nullptr)},
          {"error", state.error}};
}

Json alert_json(const catalog::Alert& alert) {
  return {{"id", alert.id},
          {"name", alert.name},
          {"rule", Json::parse(alert.rule)},
          {"url", alert.url},
          {"owner", alert.owner},
          {"is_paused", alert.is_paused},
          {"made", time_text(alert.made_ms)},
          {"changed", time_text(alert.changed_ms)},
          {"next_check", alert.is_paused ? Json(nullptr) : Json(time_text(alert.next_check_ms))},
          {"state", state_json(notify::read_alert_state(alert.state))}};
}

}  // namespace

Result<catalog::Alert> AlertAnswers::described(const http::Request& request) {
  const auto body = read_object(request, {"name", "rule", "url", "owner", "is_paused"});
  if (!body) return body.error();
  auto name = text_of(*body, "name", std::nullopt);
  auto url = webhook_url_of(*body, webhook_);
  auto owner = text_of(*body, "owner", request.actor);
  for (const auto* text : {&name, &url, &owner})
    if (!*text) return text->error();
  const auto is_paused = truth_of(*body, "is_paused");
  if (!is_paused) return is_paused.error();
  if (!body->contains("rule")) return Error::reject("rule: missing");
  const auto rule = notify::read_alert_rule(json_text(body->at("rule")));
  if (!rule) return rule.error();
  if (const auto looked = reports_.look(*rule, now_ms()); !looked) return looked.error();
  return catalog::Alert{.name = *name,
                        .site_id = rule->site,
                        .rule = notify::write_alert_rule(*rule),
                        .url = *url,
                        .owner = *owner,
                        .is_paused = *is_paused,
                        .next_check_ms = now_ms() + rule->every.count()};
}

http::Response AlertAnswers::list(const http::Request& request) {
  const auto alerts = book_.alerts(request.query_parameter("site").value_or(""));
  if (!alerts) return error_answer(alerts.error());
  Json list = Json::array();
  for (const auto& alert : *alerts) list.push_back(alert_json(alert));
  return json_answer(200, {{"alerts", std::move(list)}});
}

http::Response AlertAnswers::add(const http::Request& request) {
  auto alert = described(request);
  if (!alert) return error_answer(alert.error());
  const auto added = book_.add(std::move(*alert), request.actor);
  if (!added) return error_answer(added.error());
  Json body = alert_json(*added);
  body["secret"] = notifier_.secret_of(added->id);
  return with_version(json_answer(201, body), added->changed_ms);
}

http::Response AlertAnswers::get(const http::Request& request) {
  const auto alert = book_.alert(request.path_parameter("id"));
  if (!alert) return error_answer(alert.error());
  if (!*alert) return not_done(catalog::Edit::missing, kAlertThing, request);
  const auto notices = book_.notices(catalog::NoticeSource::alert, (*alert)->id, kShownNotices);
  if (!notices) return error_answer(notices.error());
  Json body = alert_json(**alert);
  body["notices"] = notices_json(*notices);
  return with_version(json_answer(200, body), (*alert)->changed_ms);
}

http::Response AlertAnswers::replace(const http::Request& request) {
  auto alert = described(request);
  if (!alert) return error_answer(alert.error());
  alert->id = request.path_parameter("id");
  const auto replaced = book_.replace(*alert, wanted_version(request), request.actor);
  if (!replaced) return error_answer(replaced.error());
  if (*replaced != catalog::Edit::done) return not_done(*replaced, kAlertThing, request);
  return with_version(json_answer(200, alert_json(*alert)), alert->changed_ms);
}

http::Response AlertAnswers::remove(const http::Request& request) {
  const auto id = request.path_parameter("id");
  return removed_answer(book_.remove_alert(id, wanted_version(request), request.actor), kAlertThing, request);
}

http::Response AlertAnswers::send(const http::Request& request) {
  const auto alert = book_.alert(request.path_parameter("id"));
  if (!alert) return error_answer(alert.error());
  if (!*alert) return not_done(catalog::Edit::missing, kAlertThing, request);
  const auto notice = notifier_.send_test(**alert);
  return notice ? json_answer(202, notice_json(*notice)) : error_answer(notice.error());
}

}  // namespace marquee::api
