#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "marquee/event/event.h"
#include "marquee/event/timestamp.h"

namespace marquee::event {
namespace {

std::string encoded_event(const Event& event) {
  std::string out;
  encode(event, out);
  return out;
}

struct Texts {
  std::string site, external, college, ad, query, props;
};

Event any_event(const Texts& texts) {
  Event e;
  e.site_id = texts.site;
  e.external_id = texts.external;
  e.college_id = texts.college;
  e.ad_id = texts.ad;
  e.search_query = texts.query;
  e.props = texts.props;
  e.session_id = *rc::gen::arbitrary<std::uint64_t>();
  e.seq = *rc::gen::arbitrary<std::uint32_t>();
  e.event_time_ms = *rc::gen::arbitrary<std::int64_t>();
  e.received_time_ms = *rc::gen::arbitrary<std::int64_t>();
  e.type = static_cast<Type>(*rc::gen::inRange(1, 14));
  e.user_key = *rc::gen::arbitrary<std::uint64_t>();
  e.is_bot = *rc::gen::arbitrary<bool>();
  e.consent = static_cast<Consent>(*rc::gen::inRange(0, 4));
  e.position = *rc::gen::arbitrary<std::uint8_t>();
  e.slot_x = *rc::gen::arbitrary<std::uint16_t>();
  e.results_count = *rc::gen::arbitrary<std::int32_t>();
  e.dwell_ms = *rc::gen::arbitrary<std::uint32_t>();
  e.value = static_cast<double>(*rc::gen::arbitrary<std::int64_t>()) / 1000.0;
  e.propensity = static_cast<float>(*rc::gen::inRange(0, 1001)) / 1000.0F;
  return e;
}

Texts arbitrary_texts() {
  const auto text = rc::gen::arbitrary<std::string>();
  return {*text, *text, *text, *text, *text, *text};
}

TEST(Codec, gives_back_what_it_was_given) {
  EXPECT_TRUE(rc::check([] {
    const auto texts = arbitrary_texts();
    const auto event = any_event(texts);
    const auto bytes = encoded_event(event);
    const auto back = decode(bytes);
    RC_ASSERT(back.has_value());
    RC_ASSERT(encoded_event(*back) == bytes);
    RC_ASSERT(back->site_id == event.site_id && back->session_id == event.session_id && back->seq == event.seq);
    RC_ASSERT(back->external_id == event.external_id && back->props == event.props && back->ad_id == event.ad_id);
    RC_ASSERT(back->event_time_ms == event.event_time_ms && back->received_time_ms == event.received_time_ms);
    RC_ASSERT(back->type == event.type && back->consent == event.consent && back->is_bot == event.is_bot);
    RC_ASSERT(back->value == event.value && back->results_count == event.results_count && back->slot_x == event.slot_x);
    RC_ASSERT(identity(*back) == identity(event));
  }));
}

TEST(Codec, refuses_a_record_that_was_cut_or_lengthened) {
  EXPECT_TRUE(rc::check([] {
    const auto texts = arbitrary_texts();
    const auto bytes = encoded_event(any_event(texts));
    const auto length = static_cast<std::size_t>(*rc::gen::inRange<int>(0, static_cast<int>(bytes.size())));
    RC_ASSERT(!decode(std::string_view(bytes).substr(0, length)));
    RC_ASSERT(!decode(bytes + "x"));
  }));
}

TEST(Codec, takes_few_bytes_for_a_small_event) {
  Event event;
  event.site_id = "campus";
  event.session_id = 1;
  event.seq = 1;
  event.event_time_ms = 1'767'225'600'000;
  event.received_time_ms = 1'767'225'600'250;
  event.type = Type::click;
  EXPECT_LT(encoded_event(event).size(), 40U);
}

// Rows that are stored already are compared with it: it must never change.
TEST(Identity, is_what_it_has_always_been) {
  EXPECT_EQ(identity("campus", 1, 2, ""), identity("campus", 1, 2, ""));
  EXPECT_NE(identity("campus", 1, 2, ""), identity("campus", 2, 1, ""));
  EXPECT_NE(identity("campus", 1, 2, ""), identity("moodle", 1, 2, ""));
  EXPECT_NE(identity("campus", 0, 0, "a"), identity("campus", 0, 0, "b"));
  EXPECT_EQ(identity("campus", 1, 2, ""), 6394916608740492868U);
  EXPECT_EQ(identity("campus", 0, 0, "order-1"), 723988984006078412U);
}

TEST(Partition, keeps_a_user_together_and_spreads_users) {
  Event event;
  event.site_id = "campus";
  std::array<int, 8> counts{};
  for (std::uint64_t user = 1; user <= 8000; ++user) {
    event.user_key = user;
    event.session_id = user * 7;
    const auto partition = partition_of(event, 8);
    ASSERT_LT(partition, 8U);
    event.session_id += 1;
    EXPECT_EQ(partition_of(event, 8), partition);
    ++counts[partition];
  }
  for (const int count : counts) EXPECT_NEAR(count, 1000, 150);
}

TEST(Timestamp, reads_rfc_3339) {
  EXPECT_EQ(parse_timestamp("1970-01-01T00:00:00Z"), 0);
  EXPECT_EQ(parse_timestamp("2026-01-01T05:30:00.123+05:30"), 1'767'225'600'123);
  EXPECT_EQ(parse_timestamp("2026-01-01 00:00:00"), 1'767'225'600'000);
  EXPECT_EQ(parse_timestamp("2024-02-29T00:00:00Z"), 1'709'164'800'000);
  for (const char* text : {"", "2026", "2026-13-01T00:00:00Z", "2026-02-30T00:00:00Z", "2026-01-01T24:00:00Z",
                           "2026-01-01T00:00:00+25:00", "2026-01-01T00:00:00Zx", "20260101T000000Z"}) {
    EXPECT_EQ(parse_timestamp(text), std::nullopt) << text;
  }
}

TEST(Type, has_a_name_for_each_and_back) {
  for (std::size_t i = 1; i < kTypeNames.size(); ++i) EXPECT_EQ(parse_type(kTypeNames[i]), static_cast<Type>(i));
  EXPECT_EQ(parse_type(""), std::nullopt);
  EXPECT_EQ(parse_type("Click"), std::nullopt);
}

}  // namespace
}  // namespace marquee::event
