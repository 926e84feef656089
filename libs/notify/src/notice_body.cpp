#include "notice_body.h"

#include <date/date.h>
#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace marquee::notify {
namespace {

using Json = nlohmann::ordered_json;

std::string time_text(std::int64_t ms) { return date::format("%FT%TZ", WallTime(Millis(ms))); }

Json notice_reading(const Reading& reading) {
  const auto or_null = [](const std::optional<double>& value) { return value ? Json(*value) : Json(nullptr); };
  return {{"value", or_null(reading.value)},
          {"low", or_null(reading.low)},
          {"high", or_null(reading.high)},
          {"count", reading.count}};
}

}  // namespace

std::string alert_body(const catalog::Alert& alert, const AlertRule& rule, const AlertState& state,
                       const std::string& type, std::int64_t time_ms) {
  Json data = {{"alert", {{"id", alert.id}, {"name", alert.name}}},
               {"rule", Json::parse(write_alert_rule(rule))},
               {"state", state.is_firing ? "firing" : "ok"},
               {"since", state.since_ms == 0 ? Json(nullptr) : Json(time_text(state.since_ms))},
               {"verdict", name_of(state.verdict)},
               {"now", notice_reading(state.now)},
               {"before", state.before ? notice_reading(*state.before) : Json(nullptr)}};
  return Json{{"type", type}, {"timestamp", time_text(time_ms)}, {"data", std::move(data)}}.dump(
      -1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace marquee::notify
