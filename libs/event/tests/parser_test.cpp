#include "marquee/event/parser.h"

#include <gtest/gtest.h>

#include <deque>

namespace marquee::event {
namespace {

constexpr std::int64_t kNow = 1'767'225'600'000;  // 2026-01-01 00:00 UTC
constexpr std::int64_t kDay = 86'400'000;

struct Parsed {
  Result<Parser::Outcome> outcome;
  std::vector<Event> events;
};

class ParserTest : public ::testing::Test {
 protected:
  ParserTest() {
    context.site_id = "campus";
    context.received_time_ms = kNow;
  }

  /// Parses; the events' text lives as long as the test.
  Parsed parse(std::string_view body) {
    std::vector<Event> events;
    auto outcome = parser.parse(body, context, [&](const Event& event) {
      std::string bytes;
      encode(event, bytes);
      kept.push_back(std::move(bytes));
      events.push_back(decode(kept.back()).value());
    });
    return {std::move(outcome), std::move(events)};
  }

  Event one(std::string_view body) {
    const auto parsed = parse(body);
    EXPECT_TRUE(parsed.outcome);
    if (parsed.events.size() == 1) return parsed.events[0];
    ADD_FAILURE() << body << ": "
                  << (parsed.outcome && !parsed.outcome->rejections.empty() ? parsed.outcome->rejections[0].reason
                                                                            : "");
    return {};
  }

  Rejection refusal(std::string_view body) {
    const auto parsed = parse(body);
    if (parsed.outcome && parsed.outcome->rejections.size() == 1) return parsed.outcome->rejections[0];
    ADD_FAILURE() << body << " is taken";
    return {};
  }

  Context context;
  Parser parser;
  std::deque<std::string> kept;
};

TEST_F(ParserTest, reads_every_field) {
  const auto event =
      one(R"({"type":"click","session_id":"s1","seq":7,"event_time":1767225599000,"user_id":42,"consent":"full",
    "college_id":"north","program":"law","year_of_study":3,"city":"Pune","page_id":"home","page_path":"/a?b",
    "referrer":"https://user@search.example:8443/q?x=1","slot_id":"hero","position":2,"viewport":{"width":1280,"height":720},
    "scroll_depth":10000,"x":0,"y":9999,"page_x":12,"page_y":34,"campaign_id":"c","ad_id":17,"decision_id":"d",
    "course_id":"k","search_query":"data","results_count":0,"dwell_ms":4294967295,"visible_ms":5,"value":-1.5,
    "propensity":0.25,"policy":"bts","props":{"a":[1,"ü"]},"own":true})");
  EXPECT_EQ(event.site_id, "campus");
  EXPECT_EQ(event.type, Type::click);
  EXPECT_NE(event.session_id, 0U);
  EXPECT_EQ(event.seq, 7U);
  EXPECT_EQ(event.event_time_ms, kNow - 1000);
  EXPECT_NE(event.user_key, 0U);
  EXPECT_EQ(event.consent, Consent::full);
  EXPECT_EQ(event.college_id, "north");
  EXPECT_EQ(event.year_of_study, 3);
  EXPECT_EQ(event.referrer_host, "search.example");
  EXPECT_EQ(event.position, 2);
  EXPECT_EQ(event.viewport_width, 1280);
  EXPECT_EQ(event.scroll_depth, 10000);
  EXPECT_EQ(event.slot_x, 0);
  EXPECT_EQ(event.slot_y, 9999);
  EXPECT_EQ(event.ad_id, "17");
  EXPECT_EQ(event.results_count, 0);
  EXPECT_EQ(event.dwell_ms, 4294967295U);
  EXPECT_EQ(event.value, -1.5);
  EXPECT_EQ(event.propensity, 0.25F);
  EXPECT_EQ(event.props, R"({"a":[1,"ü"],"own":true})");
}

TEST_F(ParserTest, takes_each_shape_of_a_request) {
  const std::string a = R"({"type":"click","session_id":"s","seq":1})";
  const std::string b = R"({"type":"hover","session_id":"s","seq":2})";
  EXPECT_EQ(parse(a).events.size(), 1U);
  EXPECT_EQ(parse("[" + a + "," + b + "]").events.size(), 2U);
  EXPECT_EQ(parse(R"({"events":[)" + a + "," + b + "]}").events.size(), 2U);
  EXPECT_EQ(parse(a + "\r\n\n" + b + "\n").events.size(), 2U);
  EXPECT_EQ(parse("[]").events.size(), 0U);
}

TEST_F(ParserTest, refuses_what_is_no_request_at_all) {
  for (const char* body :
       {"", "  \n ", "not json", "17", "\"x\"", "[1", R"({"events":3})", R"({"sent_at":"soon","events":[]})"}) {
    const auto parsed = parse(body);
    ASSERT_FALSE(parsed.outcome) << body;
    EXPECT_EQ(parsed.outcome.error().action, Action::reject);
    EXPECT_TRUE(parsed.events.empty());
  }
}

TEST_F(ParserTest, names_a_bad_event_and_takes_its_neighbours) {
  const auto parsed = parse(R"([{"type":"click","session_id":"s","seq":1},{"type":"clack","session_id":"s","seq":2},
    7,{"type":"click","session_id":"s","seq":3,"position":256},{"type":"click","session_id":"s","seq":4}])");
  ASSERT_TRUE(parsed.outcome);
  EXPECT_EQ(parsed.outcome->accepted, 2U);
  ASSERT_EQ(parsed.outcome->rejections.size(), 3U);
  EXPECT_EQ(parsed.outcome->rejections[0].index, 1U);
  EXPECT_EQ(parsed.outcome->rejections[0].field, "type");
  EXPECT_NE(parsed.outcome->rejections[0].reason.find("\"click\""), std::string::npos);
  EXPECT_EQ(parsed.outcome->rejections[1].index, 2U);
  EXPECT_EQ(parsed.outcome->rejections[2].index, 3U);
  EXPECT_EQ(parsed.outcome->rejections[2].field, "position");
}

TEST_F(ParserTest, takes_the_lines_around_a_broken_one) {
  const auto parsed = parse(
      "{\"type\":\"click\",\"session_id\":\"s\",\"seq\":1}\n{\"type\":\n{\"type\":\"click\",\"session_id\":\"s\","
      "\"seq\":2}");
  ASSERT_TRUE(parsed.outcome);
  EXPECT_EQ(parsed.outcome->accepted, 2U);
  ASSERT_EQ(parsed.outcome->rejections.size(), 1U);
  EXPECT_EQ(parsed.outcome->rejections[0].index, 1U);
}

TEST_F(ParserTest, asks_for_an_identity) {
  EXPECT_EQ(refusal(R"({"type":"click"})").field, "session_id");
  EXPECT_EQ(refusal(R"({"type":"click","session_id":"s"})").field, "seq");
  EXPECT_EQ(refusal(R"({"type":"click","session_id":"s","seq":0})").field, "seq");
  EXPECT_EQ(refusal(R"({"session_id":"s","seq":1})").field, "type");
  EXPECT_EQ(one(R"({"type":"click","external_id":"order-1"})").external_id, "order-1");
}

TEST_F(ParserTest, refuses_values_out_of_their_bounds) {
  const auto field_of = [&](const std::string& member) {
    return refusal(R"({"type":"click","session_id":"s","seq":1,)" + member + "}").field;
  };
  EXPECT_EQ(field_of(R"("year_of_study":21)"), "year_of_study");
  EXPECT_EQ(field_of(R"("year_of_study":1.5)"), "year_of_study");
  EXPECT_EQ(field_of(R"("x":10001)"), "x");
  EXPECT_EQ(field_of(R"("x":-1)"), "x");
  EXPECT_EQ(field_of(R"("propensity":0)"), "propensity");
  EXPECT_EQ(field_of(R"("propensity":1.01)"), "propensity");
  EXPECT_EQ(field_of(R"("value":1e13)"), "value");
  EXPECT_EQ(field_of(R"("campaign_id":[1])"), "campaign_id");
  EXPECT_EQ(field_of(R"("campaign_id":"a\u0000b")"), "campaign_id");
  EXPECT_EQ(field_of(R"("search_query":")" + std::string(257, 'q') + "\""), "search_query");
  EXPECT_EQ(field_of(R"("props":3)"), "props");
  EXPECT_EQ(field_of(R"("props":{"a":")" + std::string(9000, 'q') + "\"}"), "props");
  EXPECT_EQ(field_of(R"("own":)" + std::string(40, '[') + std::string(40, ']')), "own");
  EXPECT_EQ(field_of(R"("site_id":"other")"), "site_id");
  EXPECT_EQ(field_of(R"("event_time":"yesterday")"), "event_time");
}

TEST_F(ParserTest, keeps_what_only_a_trusted_sender_may_set_from_others) {
  const std::string event = R"({"type":"click","session_id":"s","seq":1,"is_bot":true,"received_time":1,"user_key":9})";
  EXPECT_EQ(refusal(event).field, "is_bot");
  context.trusted = true;
  context.max_age_ms = 0;
  EXPECT_TRUE(one(event).is_bot);
  EXPECT_EQ(one(event).user_key, 9U);
  // Hashes as text too: many tools round such numbers.
  const auto hashed = one(R"({"type":"click","session_key":"18446744073709551615","seq":1,"user_key":"9"})");
  EXPECT_EQ(hashed.session_id, 18'446'744'073'709'551'615U);
  EXPECT_EQ(hashed.user_key, 9U);
  EXPECT_EQ(refusal(R"({"type":"click","session_key":"1x","seq":1})").field, "session_key");
  EXPECT_EQ(refusal(R"({"type":"click","session_key":-1,"seq":1})").field, "session_key");
  EXPECT_EQ(one(event).received_time_ms, 1);
  context.trusted = false;
  EXPECT_EQ(refusal(R"({"type":"click","session_key":7,"seq":1})").field, "session_key");
}

// ---- Time

TEST_F(ParserTest, corrects_a_client_clock_that_is_wrong) {
  // Its clock is an hour ahead: it sends at (its) kNow + 1 h what happened 5 s before.
  const auto event = one(
      R"({"sent_at":1767229200000,"events":[{"type":"click","session_id":"s","seq":1,"event_time":1767229195000}]})");
  EXPECT_EQ(event.event_time_ms, kNow - 5000);
  const auto own =
      one(R"({"type":"click","session_id":"s","seq":1,"event_time":1767229195000,"sent_at":1767229200000})");
  EXPECT_EQ(own.event_time_ms, kNow - 5000);
}

TEST_F(ParserTest, takes_the_time_of_arrival_where_none_is_given_or_it_lies_ahead) {
  EXPECT_EQ(one(R"({"type":"click","session_id":"s","seq":1})").event_time_ms, kNow);
  EXPECT_EQ(one(R"({"type":"click","session_id":"s","seq":1,"event_time":1767225659000})").event_time_ms,
            kNow + 59'000);
  EXPECT_EQ(one(R"({"type":"click","session_id":"s","seq":1,"event_time":1767225661000})").event_time_ms, kNow);
}

TEST_F(ParserTest, moves_what_a_corrected_clock_puts_beyond_2100_to_its_arrival) {
  context.trusted = true;
  EXPECT_EQ(one(R"({"type":"click","session_id":"s","seq":1,"sent_at":1000,"event_time":4102444799999})").event_time_ms,
            kNow);
}

TEST_F(ParserTest, refuses_events_that_are_too_old) {
  const auto at = [](std::int64_t ms) {
    return R"({"type":"click","session_id":"s","seq":1,"event_time":)" + std::to_string(ms) + "}";
  };
  EXPECT_EQ(one(at(kNow - 30 * kDay)).event_time_ms, kNow - 30 * kDay);
  EXPECT_EQ(refusal(at(kNow - 30 * kDay - 1)).field, "event_time");
  context.max_age_ms = 0;
  EXPECT_EQ(one(at(1)).event_time_ms, 1);
}

// ---- Persons

TEST_F(ParserTest, never_keeps_an_id_of_a_person) {
  context.hash_key.fill(1);
  const auto first = one(R"({"type":"click","session_id":"s","seq":1,"user_id":"alice"})");
  const auto same = one(R"({"type":"click","session_id":"s","seq":2,"user_id":"alice"})");
  EXPECT_EQ(first.user_key, same.user_key);
  EXPECT_NE(first.user_key, one(R"({"type":"click","session_id":"s","seq":1,"user_id":"bob"})").user_key);
  context.hash_key.fill(2);
  EXPECT_NE(first.user_key, one(R"({"type":"click","session_id":"s","seq":1,"user_id":"alice"})").user_key);
  for (const auto& bytes : kept) EXPECT_EQ(bytes.find("alice"), std::string::npos);
}

TEST_F(ParserTest, forgets_who_it_was_without_consent) {
  const std::string rest =
      R"(,"type":"click","session_id":"s","seq":1,"user_id":"u","college_id":"north","search_query":"q","ad_id":"a"})";
  for (const char* consent : {R"({"consent":"denied")", R"({"consent":false)"}) {
    const auto event = one(consent + rest);
    EXPECT_EQ(event.user_key, 0U);
    EXPECT_EQ(event.college_id, "");
    EXPECT_EQ(event.search_query, "");
    EXPECT_EQ(event.ad_id, "a");
  }
  EXPECT_EQ(one(R"({"consent":"contextual")" + rest).user_key, 0U);
  EXPECT_EQ(one(R"({"consent":"contextual")" + rest).college_id, "north");
  EXPECT_NE(one(R"({"consent":"unknown")" + rest).user_key, 0U);
  context.consent_required = true;
  EXPECT_EQ(one(R"({"consent":"unknown")" + rest).user_key, 0U);
  EXPECT_NE(one(R"({"consent":true)" + rest).user_key, 0U);
}

TEST_F(ParserTest, links_sessions_without_consent_within_a_day_only) {
  const auto session_at = [&](std::int64_t ms) {
    return one(R"({"consent":"denied","type":"click","session_id":"s","seq":1,"event_time":)" + std::to_string(ms) +
               "}")
        .session_id;
  };
  EXPECT_EQ(session_at(kNow - 1000), session_at(kNow - 2000));
  EXPECT_NE(session_at(kNow - 1000), session_at(kNow - 1000 - kDay));
}

TEST_F(ParserTest, marks_bots_by_their_user_agent) {
  const std::string event = R"({"type":"click","session_id":"s","seq":1})";
  context.user_agent = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)";
  EXPECT_TRUE(one(event).is_bot);
  context.user_agent =
      "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/120.0.0.0 Safari/537.36";
  EXPECT_TRUE(one(event).is_bot);
  context.user_agent =
      "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Mobile "
      "Safari/537.36";
  EXPECT_FALSE(one(event).is_bot);
  EXPECT_EQ(one(event).browser, "chrome");
  EXPECT_EQ(one(event).os, "android");
}

TEST_F(ParserTest, keeps_names_met_twice_apart) {
  EXPECT_EQ(one(R"({"type":"click","session_id":"s","seq":1,"a":1,"props":{"a":2}})").props, R"({"a":2,"_a":1})");
}

}  // namespace
}  // namespace marquee::event
