#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <limits>

#include "marquee/event/event.h"
#include "marquee/event/parser.h"

namespace marquee::event {
namespace {

std::string encoded_json_event(const Event& event) {
  std::string out;
  encode(event, out);
  return out;
}

/// What the parser makes of the text for a trusted key: an event's binary form, or why it is refused.
Result<std::string> parsed(const std::string& json) {
  Context context;
  context.site_id = "campus";
  context.received_time_ms = 1;
  context.max_age_ms = 0;
  context.trusted = true;
  std::string record;
  Parser parser;
  const auto outcome = parser.parse(json, context, [&](const Event& event) { encode(event, record); });
  if (!outcome) return outcome.error();
  if (!outcome->rejections.empty())
    return Error::reject(outcome->rejections[0].field + ": " + outcome->rejections[0].reason);
  return record;
}

template <class T>
T up_to(T most) {
  return static_cast<T>(*rc::gen::inRange<std::uint64_t>(0, static_cast<std::uint64_t>(most) + 1));
}
Permyriad permyriad() { return *rc::gen::arbitrary<bool>() ? kNoPermyriad : up_to<Permyriad>(10'000); }

/// An event that the parser might have made: every field in its bounds.
Event any_json_event(const std::vector<std::string>& texts) {
  Event e;
  e.site_id = "campus";
  e.session_id = *rc::gen::nonZero<std::uint64_t>();
  e.seq = static_cast<std::uint32_t>(1 + up_to<std::uint64_t>(1'000'000));
  e.event_time_ms = static_cast<std::int64_t>(up_to<std::uint64_t>(4'000'000'000'000));
  e.received_time_ms = static_cast<std::int64_t>(up_to<std::uint64_t>(4'000'000'000'000));
  e.type = static_cast<Type>(*rc::gen::inRange(1, 14));
  e.consent = *rc::gen::arbitrary<bool>() ? Consent::full : Consent::unknown;
  e.user_key = *rc::gen::arbitrary<std::uint64_t>();
  e.is_bot = *rc::gen::arbitrary<bool>();
  e.external_id = texts[0];
  e.college_id = texts[1];
  e.page_path = texts[2];
  e.search_query = texts[3];
  e.device = *rc::gen::arbitrary<bool>() ? "mobile" : "";
  e.year_of_study = up_to<std::uint8_t>(20);
  e.position = up_to<std::uint8_t>(255);
  e.viewport_width = up_to<std::uint16_t>(65535);
  e.viewport_height = up_to<std::uint16_t>(65535);
  e.scroll_depth = permyriad();
  e.slot_x = permyriad();
  e.slot_y = permyriad();
  e.page_x = permyriad();
  e.page_y = permyriad();
  e.results_count = *rc::gen::arbitrary<bool>() ? -1 : up_to<std::int32_t>(INT32_MAX);
  e.dwell_ms = up_to<std::uint32_t>(UINT32_MAX);
  e.visible_ms = up_to<std::uint32_t>(UINT32_MAX);
  e.value = static_cast<double>(*rc::gen::inRange<std::int64_t>(-1'000'000, 1'000'000)) / 7;
  e.propensity = static_cast<float>(up_to<std::uint16_t>(1'000)) / 1'000.0F;
  e.props = *rc::gen::arbitrary<bool>() ? R"({"a":{"b":[1,2.5,"x\n"]},"n":null})" : "";
  return e;
}

TEST(EventAsJson, is_read_by_the_parser_as_the_same_event) {
  EXPECT_TRUE(rc::check([] {
    // Any text but NUL, which the parser takes in no field.
    const auto characters = rc::gen::inRange<char>(1, 127);
    std::vector<std::string> texts;
    for (int i = 0; i < 4; ++i) texts.push_back((*rc::gen::container<std::string>(characters)).substr(0, 100));
    const Event event = any_json_event(texts);
    const auto json = to_json(event);
    RC_ASSERT(json.has_value());
    const auto back = parsed(*json);
    if (!back) RC_FAIL(*json + ": " + back.error().message);
    RC_ASSERT(*back == encoded_json_event(event));
  }));
}

TEST(EventAsJson, shows_what_is_wrong_so_that_the_parser_refuses_it) {
  Event event;
  event.site_id = "campus";
  event.session_id = std::numeric_limits<std::uint64_t>::max();
  event.seq = 1;
  ASSERT_TRUE(parsed(*to_json(event)));
  const auto why = [&event](auto&& change) {
    Event wrong = event;
    change(wrong);
    const auto json = to_json(wrong);
    if (!json) return json.error().message;
    const auto back = parsed(*json);
    return back ? *json + " is taken" : back.error().message;
  };
  EXPECT_EQ(why([](Event& e) { e.value = std::numeric_limits<double>::quiet_NaN(); }),
            "value: expected a number of at most 1e12, got text");
  EXPECT_EQ(why([](Event& e) { e.propensity = std::numeric_limits<float>::infinity(); }),
            "propensity: expected a number of at most 1e12, got text");
  EXPECT_EQ(why([](Event& e) { e.props = "not json"; }), "props: expected an object, got text");
  EXPECT_EQ(why([](Event& e) { e.props = "[1]"; }), "props: expected an object, got text");
  EXPECT_EQ(why([](Event& e) { e.event_time_ms = kLatestMs; }).substr(0, 12), "event_time: ");
  EXPECT_EQ(why([](Event& e) { e.slot_x = 10'001; }).substr(0, 3), "x: ");
  EXPECT_EQ(why([](Event& e) { e.ad_id = "\xFF"; }), "the event holds text that is no UTF-8");
}

TEST(Check, takes_what_the_store_holds_and_names_what_it_cannot) {
  Event event;
  event.event_time_ms = kLatestMs - 1;
  event.value = -1e12;
  event.propensity = 1;
  event.slot_x = 10'000;
  EXPECT_TRUE(check(event));
  const auto is_refused = [&event](auto&& change) {
    Event wrong = event;
    change(wrong);
    return !check(wrong);
  };
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_TRUE(is_refused([](Event& e) { e.event_time_ms = -1; }));
  EXPECT_TRUE(is_refused([](Event& e) { e.event_time_ms = kLatestMs; }));
  EXPECT_TRUE(is_refused([](Event& e) { e.received_time_ms = std::numeric_limits<std::int64_t>::max(); }));
  EXPECT_TRUE(is_refused([&](Event& e) { e.value = nan; }));
  EXPECT_TRUE(is_refused([](Event& e) { e.value = std::numeric_limits<double>::infinity(); }));
  EXPECT_TRUE(is_refused([&](Event& e) { e.propensity = static_cast<float>(nan); }));
  EXPECT_TRUE(is_refused([](Event& e) { e.propensity = 1.5F; }));
  EXPECT_TRUE(is_refused([](Event& e) { e.page_y = 10'001; }));
}

}  // namespace
}  // namespace marquee::event
