// From messages to events: mapping, identity, and the collector's rules.
#include "marquee/feed/translator.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "decoder.h"
#include "mapper.h"
#include "marquee/event/event.h"
#include "marquee/event/parser.h"

namespace marquee::feed {
namespace {

constexpr std::int64_t kNow = 1'764'000'000'000;

class TranslatorTest : public ::testing::Test {
 protected:
  /// Of a feed with these fields, besides "type".
  void describe(const std::string& fields, const std::string& type = "{constant: click}",
                const std::string& more = "") {
    const auto feeds = parse_feeds(
        fmt::format("feeds: [{{name: f, topic: shop.views, format: json, site: campus, {} fields: {{type: {}, {}}}}}]",
                    more, type, fields),
        "test");
    ASSERT_TRUE(feeds) << feeds.error().message;
    feed = feeds->front();
    translator = std::make_unique<Translator>(feed, *decoder);
  }
  const Translation& translate(std::string_view value) {
    message.value = value;
    const auto translated = translator->translate(message, rules, kNow);
    EXPECT_TRUE(translated);
    return **translated;
  }
  event::Event event_of(std::string_view value) {
    const Translation& translation = translate(value);
    EXPECT_EQ(translation.outcome, Translation::Outcome::event) << translation.reason;
    record = translation.record;
    const auto event = event::decode(record);
    EXPECT_TRUE(event);
    return event ? *event : event::Event();
  }
  std::string reason_of(std::string_view value) {
    const Translation& translation = translate(value);
    EXPECT_EQ(translation.outcome, Translation::Outcome::refused);
    return translation.reason;
  }

  std::unique_ptr<Decoder> decoder = make_decoder(Format::json, nullptr);
  Description feed;
  std::unique_ptr<Translator> translator;
  MessageView message{
      .partition = 3, .offset = 77, .timestamp_ms = kNow - 5'000, .key = "key-1", .value = {}, .header = {}};
  Rules rules{.hash_key = {1, 2, 3}};
  std::string record;
};

TEST_F(TranslatorTest, takes_fields_from_where_the_description_says) {
  message.header = [](const std::string& name) {
    return name == "trace" ? std::optional<std::string_view>("t-9") : std::nullopt;
  };
  describe(
      R"(external_id: $key, campaign_id: a.b.1.c, ad_id: [a, "x.y"], position: a.pos, value: price, page_id: {constant: shop},
              slot_id: {from: none, otherwise: top}, course_id: {from: level, values: {1: one, "true": yes}}, props.trace: $headers.trace,
              props.list: a.b, props.where: $topic, search_query: none)");
  const auto event = event_of(R"({"a":{"b":[0,{"c":"law"}],"x.y":12,"pos":"4"},"price":2.5,"level":true})");
  EXPECT_EQ(event.external_id, "key-1");
  EXPECT_EQ(event.campaign_id, "law");
  EXPECT_EQ(event.ad_id, "12");
  EXPECT_EQ(event.position, 4);  // Text that is a number, where a number is wanted.
  EXPECT_EQ(event.value, 2.5);
  EXPECT_EQ(event.page_id, "shop");
  EXPECT_EQ(event.slot_id, "top");
  EXPECT_EQ(event.course_id, "yes");
  EXPECT_EQ(event.props, R"({"trace":"t-9","list":[0,{"c":"law"}],"where":"shop.views"})");
  EXPECT_EQ(event.search_query, "");
  EXPECT_EQ(event.type, event::Type::click);
}

TEST_F(TranslatorTest, knows_a_message_by_its_place_where_it_has_no_identity_of_its_own) {
  describe("session_id: s, seq: n");
  EXPECT_EQ(event_of("{}").external_id, "shop.views/3/77");
  EXPECT_EQ(event_of(R"({"s":"x"})").external_id, "shop.views/3/77");
  const auto named = event_of(R"({"s":"x","n":5})");
  EXPECT_EQ(named.external_id, "");
  EXPECT_EQ(named.seq, 5U);
  describe("external_id: id");
  EXPECT_EQ(event_of(R"({"id":""})").external_id, "shop.views/3/77");
  EXPECT_EQ(event_of(R"({"id":9007199254740993})").external_id, "9007199254740993");
  const std::string longest(249, 't');
  EXPECT_LE(message_identity(longest, 4'294'967'295U, 99'999'999'999'999ULL).size(), 128U);
  EXPECT_NE(message_identity(longest, 1, 2), message_identity(longest + "u", 1, 2));
}

TEST_F(TranslatorTest, reads_times_in_their_unit_or_as_text_and_else_takes_the_messages) {
  describe("event_time: {from: at, unit: s}");
  EXPECT_EQ(event_of(R"({"at":1763999000})").event_time_ms, 1'763'999'000'000);
  EXPECT_EQ(event_of(R"({"at":1763999000.25})").event_time_ms, 1'763'999'000'250);
  EXPECT_EQ(event_of(R"({"at":"1763999000"})").event_time_ms, 1'763'999'000'000);
  EXPECT_EQ(event_of(R"({"at":"2025-11-24T10:00:00Z"})").event_time_ms, 1'763'978'400'000);
  EXPECT_EQ(event_of("{}").event_time_ms, kNow - 5'000);
  EXPECT_EQ(reason_of(R"({"at":9999999999999999999})"), "event_time: 9999999999999999999 is no time");
  describe("event_time: {from: at, unit: us}");
  EXPECT_EQ(event_of(R"({"at":1763999000123456})").event_time_ms, 1'763'999'000'123);
  describe("event_time: {from: at, unit: ns}");
  EXPECT_EQ(event_of(R"({"at":1763999000123456789})").event_time_ms, 1'763'999'000'123);
  describe("event_time: at");
  EXPECT_EQ(event_of(R"({"at":1763999000123})").event_time_ms, 1'763'999'000'123);
  message.timestamp_ms.reset();
  EXPECT_EQ(event_of("{}").event_time_ms, kNow);
}

TEST_F(TranslatorTest, says_why_a_message_is_no_event) {
  describe("ad_id: ad", "{from: kind, values: {VIEW: impression}}");
  EXPECT_EQ(event_of(R"({"kind":"VIEW"})").type, event::Type::impression);
  EXPECT_EQ(reason_of(R"({"kind":"BUY"})"), "type: \"BUY\" is not among the mapping's values");
  EXPECT_EQ(reason_of("{}"), "type: missing");
  EXPECT_EQ(reason_of(R"({"kind":"VIEW","ad":{}})"), "ad_id: expected text, got an object");
  EXPECT_TRUE(reason_of("<xml/>").starts_with("not JSON: ")) << reason_of("<xml/>");
  EXPECT_TRUE(reason_of("").starts_with("not JSON: "));
  EXPECT_EQ(event_of(std::string("\0\0\0\0\7{\"kind\":\"VIEW\"}", 20)).type,
            event::Type::impression);  // As registries' JSON is framed.
  EXPECT_TRUE(reason_of("\"kind\"").starts_with("type: missing"));
}

TEST_F(TranslatorTest, leaves_out_what_the_description_ignores_and_only_that) {
  describe("ad_id: ad", "{from: kind, values: {VIEW: impression, PING: $ignore}}");
  EXPECT_EQ(translate(R"({"kind":"PING"})").outcome, Translation::Outcome::ignored);
  EXPECT_EQ(event_of(R"({"kind":"VIEW","ad":"$ignore"})").ad_id, "$ignore");  // The message's own text is text.
  message.value.reset();
  EXPECT_EQ((*translator->translate(message, rules, kNow))->outcome, Translation::Outcome::ignored);
}

TEST_F(TranslatorTest, holds_messages_to_the_collectors_rules) {
  // The same as the collector's parser makes of the same event.
  const auto collected = [&](std::string_view json, bool consent_required) {
    event::Parser parser;
    event::Context context;
    context.site_id = "campus";
    context.received_time_ms = kNow;
    context.hash_key = rules.hash_key;
    context.consent_required = consent_required;
    context.user_agent = "Googlebot/2.1";
    std::string encoded;
    EXPECT_TRUE(parser.parse(json, context, [&](const event::Event& event) { event::encode(event, encoded); }));
    return encoded;
  };
  describe("external_id: e, user_id: u, session_id: s, city: c, consent: k, event_time: t, user_agent: a");
  const std::string_view json =
      R"({"type":"click","external_id":"1","user_id":"u","session_id":"s","city":"Pune","consent":"contextual","event_time":1763999999000})";
  const std::string_view sent =
      R"({"e":"1","u":"u","s":"s","c":"Pune","k":"contextual","t":1763999999000,"a":"Googlebot/2.1"})";
  for (const bool consent_required : {false, true}) {
    rules.consent_required = consent_required;
    event_of(sent);
    EXPECT_EQ(record, collected(json, consent_required));
    EXPECT_TRUE(event_of(sent).is_bot);
  }
  const auto denied = event_of(R"({"e":"1","u":"u","c":"Pune"})");  // The site requires consent.
  EXPECT_EQ(denied.user_key, 0U);
  EXPECT_EQ(denied.city, "");
  EXPECT_EQ(reason_of(R"({"e":"1","t":1000})"), "event_time: 20416 days old; at most 30 are taken");
  EXPECT_EQ(event_of(R"({"e":"1","t":1769999999000})").event_time_ms, kNow);  // Not from the future.
  describe("user_key: k");
  EXPECT_TRUE(reason_of(R"({"k":5})").starts_with("user_key: only a trusted key")) << reason_of(R"({"k":5})");
  describe("user_key: k, event_time: t", "{constant: click}", "trusted: true,");
  EXPECT_EQ(event_of(R"({"k":5,"t":1000})").user_key, 0U);  // Consent is required all the same.
  rules.consent_required = false;
  EXPECT_EQ(event_of(R"({"k":5,"t":1000})").user_key, 5U);
  EXPECT_EQ(event_of(R"({"k":5,"t":1000})").event_time_ms, 1'000);
}

TEST_F(TranslatorTest, chooses_the_partition_as_the_collector_does) {
  describe("external_id: e, user_id: u");
  const auto event = event_of(R"({"e":"1","u":"someone"})");
  EXPECT_EQ(translate(R"({"e":"1","u":"someone"})").partition_key, event::partition_key(event));
  EXPECT_EQ(translate(R"({"e":"2","u":"someone"})").partition_key, event::partition_key(event));
}

}  // namespace
}  // namespace marquee::feed
