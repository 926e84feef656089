// An event as JSON, in the names that Parser reads.
#include <fmt/format.h>
#include <simdjson.h>

#include <cmath>

#include "marquee/base/json_text.h"
#include "marquee/event/event.h"

namespace marquee::event {
namespace {

constexpr std::array<std::string_view, 4> kConsentNames = {"unknown", "denied", "contextual", "full"};

class JsonWriter {
 public:
  explicit JsonWriter(std::string& out) : object_(out) {}

  void text(std::string_view name, std::string_view value) { object_.text(name, value); }
  /// A hash has more digits than many tools keep of a number.
  void key(std::string_view name, std::uint64_t value) {
    if (value != 0) object_.text(name, fmt::format("{}", value));
  }
  void number(std::string_view name, std::int64_t value, std::int64_t absent) {
    if (value != absent) object_.number(name, value);
  }
  template <class T>
  void real(std::string_view name, T value) {
    if (value == 0) return;
    if (std::isfinite(value))
      object_.raw(name, fmt::format("{}", value));
    else
      object_.text(name, fmt::format("{}", value));
  }
  void props(std::string_view json) {
    if (json.empty()) return;
    simdjson::dom::parser parser;
    simdjson::dom::element element;
    const bool is_object =
        parser.parse(json.data(), json.size()).get(element) == simdjson::SUCCESS && element.is_object();
    if (is_object)
      object_.raw("props", simdjson::minify(element));
    else
      object_.text("props", json);
  }
  JsonObject& object() { return object_; }

 private:
  JsonObject object_;
};

}  // namespace

Result<std::string> to_json(const Event& e) {
  std::string out;
  JsonWriter write(out);
  write.text("type", name(e.type));
  write.text("site_id", e.site_id);
  write.key("session_key", e.session_id);
  write.number("seq", e.seq, 0);
  write.text("external_id", e.external_id);
  write.object().number("event_time", e.event_time_ms).number("received_time", e.received_time_ms);
  write.key("user_key", e.user_key);
  write.text("college_id", e.college_id);
  write.text("program", e.program);
  write.number("year_of_study", e.year_of_study, 0);
  write.text("city", e.city);
  write.text("device", e.device);
  write.text("os", e.os);
  write.text("browser", e.browser);
  write.object().raw("is_bot", e.is_bot ? "true" : "false");
  if (e.consent != Consent::unknown) write.text("consent", kConsentNames[static_cast<std::size_t>(e.consent)]);
  write.text("page_id", e.page_id);
  write.text("page_path", e.page_path);
  write.text("referrer_host", e.referrer_host);
  write.text("slot_id", e.slot_id);
  write.number("position", e.position, 0);
  write.number("viewport_width", e.viewport_width, 0);
  write.number("viewport_height", e.viewport_height, 0);
  write.number("scroll_depth", e.scroll_depth, kNoPermyriad);
  write.number("x", e.slot_x, kNoPermyriad);
  write.number("y", e.slot_y, kNoPermyriad);
  write.number("page_x", e.page_x, kNoPermyriad);
  write.number("page_y", e.page_y, kNoPermyriad);
  write.text("campaign_id", e.campaign_id);
  write.text("ad_id", e.ad_id);
  write.text("decision_id", e.decision_id);
  write.text("course_id", e.course_id);
  write.text("search_query", e.search_query);
  write.number("results_count", e.results_count, -1);
  write.number("dwell_ms", e.dwell_ms, 0);
  write.number("visible_ms", e.visible_ms, 0);
  write.real("value", e.value);
  write.real("propensity", e.propensity);
  write.text("policy", e.policy);
  write.props(e.props);
  write.object().end();
  if (!simdjson::validate_utf8(out)) return Error::reject("the event holds text that is no UTF-8");
  return out;
}

}  // namespace marquee::event
