#include "marquee/feed/description.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace marquee::feed {
namespace {

constexpr std::string_view kWhole = R"(feeds:
  - name: shop
    topic: shop.page-views
    format: avro
    schema_registry:
      url: http://registry:8081/apis/ccompat/v7/
      user: marquee
      password: "s: cret"
    site: campus
    trusted: true
    start: latest
    fields:
      type: {from: action, values: {VIEW: impression, CLICK: click, "1": hover, PING: $ignore}, otherwise: custom}
      event_time: {from: at, unit: us}
      user_id: payload.user.id
      session_id: [payload, "session.id"]
      seq: $offset
      campaign_id: {constant: law-2027}
      position: {constant: 3}
      ad_id: {constant: "3"}
      external_id: $key
      props.trace: $headers.trace-id
      props.all: $value
      user_agent: headers.0.agent
  - {name: courses, topic: courses, format: json, site: moodle, fields: {type: {constant: course_view}}}
)";

TEST(Description, holds_what_the_file_says) {
  const auto feeds = parse_feeds(kWhole, "feeds.yaml");
  ASSERT_TRUE(feeds) << feeds.error().message;
  ASSERT_EQ(feeds->size(), 2U);
  const Description& shop = (*feeds)[0];
  EXPECT_EQ(shop.topic, "shop.page-views");
  EXPECT_EQ(shop.format, Format::avro);
  EXPECT_EQ(shop.registry_url, "http://registry:8081/apis/ccompat/v7");
  EXPECT_EQ(shop.registry_password, "s: cret");
  EXPECT_TRUE(shop.is_trusted);
  EXPECT_TRUE(shop.from_end);
  const auto mapping = [&](std::string_view field) {
    return *std::ranges::find(shop.mappings, field, &Mapping::field);
  };
  EXPECT_EQ(mapping("type").values.at("VIEW"), "\"impression\"");
  EXPECT_EQ(mapping("type").values.at("1"), "\"hover\"");
  EXPECT_EQ(mapping("type").otherwise, "\"custom\"");
  EXPECT_EQ(mapping("event_time").unit, TimeUnit::microseconds);
  EXPECT_EQ(mapping("user_id").path, (std::vector<std::string>{"payload", "user", "id"}));
  EXPECT_EQ(mapping("session_id").path, (std::vector<std::string>{"payload", "session.id"}));
  EXPECT_EQ(mapping("seq").origin, Origin::offset);
  EXPECT_EQ(mapping("position").constant, "3");
  EXPECT_EQ(mapping("ad_id").constant, "\"3\"");
  EXPECT_EQ(mapping("external_id").origin, Origin::key);
  EXPECT_EQ(mapping("props.trace").origin, Origin::header);
  EXPECT_EQ(mapping("props.trace").path, std::vector<std::string>{"trace-id"});
  EXPECT_TRUE(mapping("props.all").path.empty());
  EXPECT_EQ((*feeds)[1].format, Format::json);
  EXPECT_FALSE((*feeds)[1].from_end);
}

TEST(Description, prints_what_reads_back_as_the_same_but_for_the_password) {
  auto feeds = parse_feeds(kWhole, "feeds.yaml");
  ASSERT_TRUE(feeds);
  const std::string printed = print_feeds(*feeds);
  EXPECT_EQ(printed.find("cret"), std::string::npos);
  const auto again = parse_feeds(printed, "printed");
  ASSERT_TRUE(again) << again.error().message << "\n" << printed;
  (*feeds)[0].registry_password.clear();
  EXPECT_EQ(*again, *feeds);
}

TEST(Description, names_the_line_and_what_is_wrong_there) {
  const auto why = [](std::string_view from, std::string_view to) {
    std::string text(kWhole);
    const auto at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    text.replace(at, from.size(), to);
    const auto feeds = parse_feeds(text, "feeds.yaml");
    return feeds ? "it was taken" : feeds.error().message;
  };
  EXPECT_EQ(why("name: shop", "nam: shop"), "feeds.yaml:2: feed: unknown key \"nam\"; did you mean \"name\"?");
  EXPECT_EQ(why("format: avro", "format: xml"), "feeds.yaml:4: format: \"xml\" is not one of: json, avro, protobuf");
  EXPECT_EQ(why("http://registry:8081/apis/ccompat/v7/", "https://registry"),
            "feeds.yaml:6: schema_registry.url: \"https://registry\" is not http://host:port[/path]");
  EXPECT_EQ(why("trusted: true", "trusted: maybe"), "feeds.yaml:10: trusted: \"maybe\" is neither true nor false");
  EXPECT_EQ(why("campaign_id:", "campain_id:"),
            "feeds.yaml:18: unknown field \"campain_id\"; did you mean \"campaign_id\"? (what is your own goes under "
            "\"props.campain_id\")");
  EXPECT_EQ(why("campaign_id:", "site_id:"), "feeds.yaml:18: site_id: is the feed's site");
  EXPECT_EQ(why("{constant: law-2027}", "{constant: a, from: b}"),
            "feeds.yaml:18: campaign_id: from and constant exclude each other");
  EXPECT_EQ(why("{constant: law-2027}", "{values: {a: b}}"), "feeds.yaml:18: campaign_id: needs from or constant");
  EXPECT_EQ(why("{constant: law-2027}", "{from: a, unit: s}"),
            "feeds.yaml:18: campaign_id: is no time, so it has no unit");
  EXPECT_EQ(why("$offset", "$offest"),
            "feeds.yaml:17: seq: \"$offest\" is not one of: $value, $key, $timestamp, $topic, $partition, $offset, "
            "$headers.NAME");
  EXPECT_EQ(why("payload.user.id", "payload..id"), "feeds.yaml:15: user_id: an empty name in the path");
  EXPECT_EQ(why("type: {constant: course_view}", "ad_id: x"), "feeds.yaml:25: fields: an event needs a type");
  EXPECT_EQ(why("name: courses", "name: shop"), "feeds.yaml:25: feed shop is there twice");
  EXPECT_EQ(why("name: courses, ", ""), "feeds.yaml:25: a feed needs name");
  EXPECT_EQ(why("format: json", "format: protobuf"), "feeds.yaml:25: feed courses: protobuf needs schema_registry.url");
  EXPECT_EQ(why("user_id: payload.user.id", "seq: payload"), "feeds.yaml:17: seq is there twice");
  EXPECT_EQ(why("feeds:", "feed:"), "feeds.yaml:1: the feeds file: unknown key \"feed\"; did you mean \"feeds\"?");
  EXPECT_EQ(why("start: latest", "start: [latest"), why("start: latest", "start: [latest"));
  EXPECT_NE(why("start: latest", "start: [latest").find("is not YAML"), std::string::npos);
  EXPECT_NE(why("topic: courses", "topic: co/urses").find("topic: \"co/urses\" is not 1 to 249 letters"),
            std::string::npos);
}

}  // namespace
}  // namespace marquee::feed
