#include "marquee/decision/definition.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>

#include "random_campaign.h"

namespace marquee::decision {
namespace {

using Json = nlohmann::ordered_json;

Json fine() {
  return Json::parse(R"({
    "id": "law", "name": "Open day of the law school", "status": "active", "tier": "guaranteed",
    "advertiser": "law-school", "category": "education", "excludes": ["medicine"], "zone": "Asia/Kolkata",
    "from": "2026-12-01T00:00:00+05:30", "to": "2026-12-31T18:29:59.500Z",
    "schedule": [{"days": ["mon", "fri"], "from": "08:00", "to": "18:30"}, {"from": "22:00", "to": "06:00", "zone": "UTC"}],
    "targeting": {"all": [{"any": [{"field": "college", "in": ["c1", "c2"]}, {"attribute": "grade", "in": ["a"]}]},
      {"not": {"field": "device", "in": ["mobile"]}}, {"within": {"days": ["sun"], "to": "24:00"}}]},
    "caps": [{"scope": "advertiser", "count": 3, "window": "24h"}, {"scope": "ad", "count": 1, "window": "90s"}],
    "budget": {"daily": {"impressions": 1000}, "total": {"clicks": 50, "spend_micros": 2500000}},
    "pacing": "front_loaded", "price": "cpc", "bid_micros": 350000, "share_of_voice": 0.25, "is_roadblock": true,
    "companions": ["hero", "side"],
    "ads": [{"id": "hero", "name": "Hero", "weight": 2, "creative": {"kind": "image", "width": 970, "height": 250,
        "landing_url": "https://campus.example/law", "fields": {"image": "https://campus.example/law.png"}}},
      {"id": "side", "name": "Side", "is_paused": true, "creative": {"kind": "text", "landing_url": "http://campus.example"}}]
  })");
}

/// fine() with another value at the JSON pointer.
std::string with(const std::string& pointer, const Json& value) {
  Json json = fine();
  json[Json::json_pointer(pointer)] = value;
  return json.dump();
}

std::string refusal(const std::string& text) {
  const auto read = read_campaign(text);
  if (read) return "(taken)";
  EXPECT_EQ(read.error().action, Action::reject);
  return read.error().message;
}

TEST(Definition, reads_what_a_campaign_says) {
  const auto read = read_campaign(fine().dump());
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->id, "law");
  EXPECT_EQ(read->status, Status::active);
  EXPECT_EQ(read->tier, Tier::guaranteed);
  EXPECT_EQ(read->excludes, std::vector<std::string>{"medicine"});
  EXPECT_EQ(read->from_ms, 1'796'063'400'000);
  EXPECT_EQ(read->to_ms, 1'798'741'799'500);
  ASSERT_EQ(read->schedule.size(), 2U);
  EXPECT_EQ(read->schedule[0].days, 0b0010001);
  EXPECT_EQ(read->schedule[0].to_minute, 18 * 60 + 30);
  EXPECT_EQ(read->schedule[0].zone, "Asia/Kolkata") << "the campaign's, as it names none";
  EXPECT_EQ(read->schedule[1].zone, "UTC");
  EXPECT_EQ(read->schedule[1].from_minute, 22 * 60);
  ASSERT_EQ(read->caps.size(), 2U);
  EXPECT_EQ(read->caps[0].scope, CapScope::advertiser);
  EXPECT_EQ(read->caps[0].window_ms, 86'400'000);
  EXPECT_EQ(read->caps[1].window_ms, 90'000);
  EXPECT_EQ(read->daily.impressions, 1000U);
  EXPECT_EQ(read->daily.clicks, 0U) << "no limit";
  EXPECT_EQ(read->total.clicks, 50U);
  EXPECT_EQ(read->total.spend_micros, 2'500'000);
  EXPECT_EQ(read->pacing, Pacing::front_loaded);
  EXPECT_EQ(read->price, Price::per_click);
  EXPECT_EQ(read->bid_micros, 350'000);
  EXPECT_EQ(read->share_of_voice, 0.25);
  EXPECT_TRUE(read->is_roadblock);
  EXPECT_EQ(read->companions.size(), 2U);
  ASSERT_EQ(read->ads.size(), 2U);
  EXPECT_EQ(read->ads[0].creative.kind, Creative::Kind::image);
  EXPECT_EQ(read->ads[0].creative.width, 970);
  EXPECT_EQ(read->ads[0].creative.fields, R"({"image":"https://campus.example/law.png"})");
  EXPECT_EQ(read->ads[0].weight, 2);
  EXPECT_TRUE(read->ads[1].is_paused);
}

TEST(Definition, reads_the_tree_of_a_rule) {
  const auto read = read_campaign(fine().dump());
  ASSERT_TRUE(read) << read.error().message;
  using Kind = Targeting::Kind;
  const auto& rule = read->targeting;
  ASSERT_EQ(rule.kind, Kind::all);
  ASSERT_EQ(rule.parts.size(), 3U);
  ASSERT_EQ(rule.parts[0].kind, Kind::any);
  EXPECT_EQ(rule.parts[0].parts[0].field, Field::college);
  EXPECT_EQ(rule.parts[0].parts[0].values, (std::vector<std::string>{"c1", "c2"}));
  EXPECT_EQ(rule.parts[0].parts[1].field, Field::attribute);
  EXPECT_EQ(rule.parts[0].parts[1].name, "grade");
  ASSERT_EQ(rule.parts[1].kind, Kind::none);
  EXPECT_EQ(rule.parts[1].parts[0].field, Field::device);
  ASSERT_EQ(rule.parts[2].kind, Kind::within);
  EXPECT_EQ(rule.parts[2].day_part.days, 0b1000000);
  EXPECT_EQ(rule.parts[2].day_part.zone, "Asia/Kolkata");
  EXPECT_EQ(read_targeting("{}")->kind, Kind::everyone);
  EXPECT_EQ(read_targeting(R"({"field": "page", "in": ["home"]})")->values.front(), "home");
}

TEST(Definition, is_of_everything_that_was_left_out) {
  const auto read = read_campaign(R"({"id": "a", "name": "A"})");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(write_campaign(*read),
            R"({"id":"a","name":"A","status":"draft","tier":"standard","advertiser":"","category":"","excludes":[],)"
            R"("zone":"UTC","schedule":[],"targeting":{},"caps":[],"budget":{"daily":{},"total":{}},"pacing":"even",)"
            R"("price":"cpm","bid_micros":0,"share_of_voice":0.0,"is_roadblock":false,"companions":[],"ads":[]})");
}

TEST(Definition, writes_all_that_it_read) {
  Json whole = fine();
  whole["to"] = "2026-12-31T23:59:59.500+05:30";
  whole["schedule"][0]["zone"] = "Asia/Kolkata";
  whole["schedule"][1]["days"] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};
  whole["targeting"]["all"][2]["within"] = {
      {"days", {"sun"}}, {"from", "00:00"}, {"to", "24:00"}, {"zone", "Asia/Kolkata"}};
  whole["caps"][0]["window"] = "1d";
  whole["ads"][0]["is_paused"] = false;
  whole["ads"][1]["weight"] = 1;
  for (const char* side : {"width", "height"}) whole["ads"][1]["creative"][side] = 0;
  whole["ads"][1]["creative"]["fields"] = Json::object();
  using InAnyOrder = nlohmann::json;
  EXPECT_EQ(InAnyOrder::parse(write_campaign(*read_campaign(fine().dump()))), InAnyOrder::parse(whole.dump()));
}

TEST(Definition, tells_times_in_the_zone_of_the_campaign) {
  const auto written = Json::parse(write_campaign(*read_campaign(fine().dump())));
  EXPECT_EQ(written["from"], "2026-12-01T00:00:00+05:30");
  EXPECT_EQ(written["to"], "2026-12-31T23:59:59.500+05:30");
  EXPECT_EQ(written["caps"][0]["window"], "1d");
}

RC_GTEST_PROP(Definition, of_a_campaign_is_the_same_when_it_was_read_and_written, ()) {
  std::mt19937_64 random(*rc::gen::arbitrary<std::uint64_t>());
  const auto campaign = random_campaign(random);
  const auto text = write_campaign(campaign);
  const auto read = read_campaign(text);
  if (!read) RC_FAIL(read.error().message + " in " + text);
  RC_ASSERT(write_campaign(*read) == text);
  // What the text has of a campaign, it has of every member: these are what it could round or move.
  RC_ASSERT(read->from_ms == campaign.from_ms);
  RC_ASSERT(read->to_ms == campaign.to_ms);
  RC_ASSERT(read->bid_micros == campaign.bid_micros);
  RC_ASSERT(read->caps.size() == campaign.caps.size());
  for (std::size_t i = 0; i < read->caps.size(); ++i) RC_ASSERT(read->caps[i].window_ms == campaign.caps[i].window_ms);
}

RC_GTEST_PROP(Definition, of_slots_and_rules_is_the_same_when_it_was_read_and_written, ()) {
  std::mt19937_64 random(*rc::gen::arbitrary<std::uint64_t>());
  const auto slot = write_slot(random_slot(random));
  const auto rule = write_targeting(random_targeting(random, 5));
  const auto read = read_slot(slot);
  if (!read) RC_FAIL(read.error().message + " in " + slot);
  RC_ASSERT(write_slot(*read) == slot);
  const auto read_rule = read_targeting(rule);
  if (!read_rule) RC_FAIL(read_rule.error().message + " in " + rule);
  RC_ASSERT(write_targeting(*read_rule) == rule);
}

/// JSON pointers of all values but of the creatives' fields, which are anyone's.
void collect(const Json& json, const std::string& at, std::vector<std::string>& all) {
  if (at.ends_with("/fields")) return;
  all.push_back(at);
  if (!json.is_structured()) return;
  for (const auto& [name, value] : json.items()) collect(value, at + "/" + name, all);
}

/// As the path of a refusal: "/ads/0/id" is "ads[0].id".
std::string path_of(const std::string& pointer) {
  std::string path;
  for (std::size_t begin = 1; begin < pointer.size();) {
    const auto end = std::min(pointer.find('/', begin), pointer.size());
    const auto part = pointer.substr(begin, end - begin);
    path +=
        part.find_first_not_of("0123456789") == std::string::npos ? "[" + part + "]" : (path.empty() ? "" : ".") + part;
    begin = end + 1;
  }
  return path;
}

/// Spoils what is at the pointer: a member that there is not, or a value of another type. Gives what is named then.
std::string spoil(Json& json, const std::string& pointer) {
  Json& value = json[Json::json_pointer(pointer)];
  const auto path = path_of(pointer);
  if (!value.is_object()) {
    value = value.is_boolean() ? Json("true") : Json(false);
    return path;
  }
  // A rule of everyone has no members: one that it does not know makes it a condition, which says so itself.
  const bool is_everyone = pointer == "/targeting" && value.empty();
  value["no_such"] = 1;
  return is_everyone ? path : path + (path.empty() ? "no_such" : ".no_such");
}

RC_GTEST_PROP(Definition, names_where_a_value_is_of_another_type_and_where_a_member_is_unknown, ()) {
  std::mt19937_64 random(*rc::gen::arbitrary<std::uint64_t>());
  const auto json = Json::parse(write_campaign(random_campaign(random)));
  std::vector<std::string> values, objects;
  collect(json, "", values);
  std::ranges::copy_if(values, std::back_inserter(objects),
                       [&](const auto& pointer) { return json[Json::json_pointer(pointer)].is_object(); });
  for (int i = 0; i < 10; ++i) {
    const auto& some = i % 2 == 0 ? objects : values;
    const auto& pointer = some[random() % some.size()];
    Json changed = json;
    const auto path = spoil(changed, pointer);
    const auto said = refusal(changed.dump());
    if (!said.starts_with(path + ": ")) RC_FAIL(said + " at " + pointer + " of " + changed.dump());
  }
}

TEST(Definition, refuses_what_cannot_be_and_says_where) {
  const auto part = Json{{"field", "college"}, {"in", {"c1"}}};
  const std::tuple<std::string, Json, std::string> kCases[] = {
      {"/id", "", "id: expected 1 to 128 bytes"},
      {"/id", "a\nb", "id: expected text without control characters"},
      {"/status", "running", "status: expected one of draft, active, paused, ended"},
      {"/zone", "Asia/Nowhere", "zone: there is no time zone \"Asia/Nowhere\"; expected a name like Asia/Kolkata"},
      {"/zone", "../../etc/passwd", "zone: there is no time zone"},
      {"/schedule/1/zone", "", "schedule[1].zone: there is no time zone"},
      {"/from", "2026-12-01T00:00:00", "from: expected a time with its zone, like 2026-12-01T00:00:00+05:30"},
      {"/from", "2026-12-01", "from: expected a time with its zone"},
      {"/from", "1999-12-31T23:59:59Z", "from: expected a time from 2000 to 2199"},
      {"/to", "2026-12-01T00:00:00+05:30", "to: expected a time after from"},
      {"/schedule/0/from", "8:00", "schedule[0].from: expected a time of day like 08:00"},
      {"/schedule/0/from", "24:00", "schedule[0].from: expected a time of day before 24:00"},
      {"/schedule/0/to", "24:01", "schedule[0].to: expected a time of day like 08:00"},
      {"/schedule/0/to", "08:00", "schedule[0].to: expected another time than from"},
      {"/schedule/0/days", Json::array(), "schedule[0].days: expected at least one day"},
      {"/schedule/0/days", {"mon", "mon"}, "schedule[0].days: expected each day once"},
      {"/schedule/0/days/1", "friday", "schedule[0].days: expected some of mon, tue, wed, thu, fri, sat, sun"},
      {"/targeting/all", Json::array(), "targeting.all: expected at least one condition"},
      {"/targeting/all/0/any/1/in", Json::array(), "targeting.all[0].any[1].in: expected at least one value"},
      {"/targeting/all/0/any/0/in/1", 2, "targeting.all[0].any[0].in[1]: expected text"},
      {"/targeting/all/0/any/0/field", "colour", "targeting.all[0].any[0].field: expected one of page, slot, "},
      {"/targeting/all/0/any/0/field", "attribute", "targeting.all[0].any[0].field: an attribute is written"},
      {"/targeting/all/0/any/0/field", "seen_ad", "targeting.all[0].any[0].field: this one is for the click model"},
      {"/targeting/all/0/any/0/field", "interest", "targeting.all[0].any[0].in: expected an interest: one of word:, "},
      {"/targeting/all/1/not", Json::object(), "targeting.all[1].not: expected one of all, any, not, within, field, "},
      {"/targeting/all/1",
       {{"not", part}, {"all", {part}}},
       "targeting.all[1].not: there is no such member; there are all"},
      {"/caps/0/count", 0, "caps[0].count: expected a whole number from 1 to 1000000"},
      {"/caps/0/count", -1, "caps[0].count: expected a whole number"},
      {"/caps/0/count", 1.5, "caps[0].count: expected a whole number"},
      {"/caps/1/window", "0s", "caps[1].window: expected a span from 1s to 366d, like 24h"},
      {"/caps/1/window", "1w", "caps[1].window: expected a span"},
      {"/caps/1/window", "99999999d", "caps[1].window: expected a span"},
      {"/advertiser", "", "caps[0].scope: the campaign names no advertiser"},
      {"/budget/daily/impressions", 0, "budget.daily.impressions: expected a whole number from 1 to"},
      {"/bid_micros", 2'000'000'000'000'000, "bid_micros: expected a whole number from 0 to 1000000000000000"},
      {"/share_of_voice", 1.01, "share_of_voice: expected a number from 0 to 1"},
      {"/ads/1/id", "hero", "ads[1].id: another ad has this id"},
      {"/ads/0/weight", 0, "ads[0].weight: expected a number from"},
      {"/ads/0/creative/height", 0, "ads[0].creative.width: expected both width and height, or none"},
      {"/ads/0/creative/landing_url", "javascript:alert(1)", "ads[0].creative.landing_url: expected an address like"},
      {"/ads/0/creative/landing_url", "//evil.example/", "ads[0].creative.landing_url: expected an address like"},
      {"/ads/0/creative/landing_url", "/\\\\evil.example/", "ads[0].creative.landing_url: expected an address like"},
      {"/ads/0/creative/landing_url", "law", "ads[0].creative.landing_url: expected an address like"},
      {"/ads/0/creative/landing_url", "https:///x", "ads[0].creative.landing_url: expected an address like"},
      {"/ads/0/creative/landing_url", "https://a@b/", "ads[0].creative.landing_url: expected an address like"},
      {"/ads/0/creative/landing_url", "https://a/\r\nSet-Cookie: b",
       "ads[0].creative.landing_url: expected text without"},
      {"/ads/0/creative/fields", "text", "ads[0].creative.fields: expected an object"},
      {"/companions/1", "other", "companions: expected ids of the campaign's ads"},
      {"/companions/1", "hero", "companions: expected each ad once"},
      {"/companions", {"hero"}, "companions: expected none, or two ads and more"},
  };
  EXPECT_EQ(refusal(fine().dump()), "(taken)");
  for (const auto& [pointer, value, said] : kCases)
    EXPECT_TRUE(refusal(with(pointer, value)).starts_with(said)) << pointer << ": " << refusal(with(pointer, value));
}

TEST(Definition, refuses_what_is_missing) {
  for (const std::string name : {"id", "name"}) {
    Json json = fine();
    json.erase(name);
    EXPECT_EQ(refusal(json.dump()), name + ": missing");
  }
  Json json = fine();
  json["ads"][1]["creative"].erase("landing_url");
  EXPECT_EQ(refusal(json.dump()), "ads[1].creative.landing_url: missing");
  EXPECT_EQ(read_targeting(R"({"field": "page"})").error().message, "in: missing");
}

TEST(Definition, refuses_a_member_that_stands_twice) {
  EXPECT_EQ(refusal(R"({"id":"a","name":"A","status":"draft","status":"active"})"),
            "status: stands twice in one object");
  EXPECT_EQ(refusal(R"({"id":"a","name":"A","budget":{"daily":{},"total":{},"daily":{}}})"),
            "daily: stands twice in one object");
  EXPECT_EQ(
      refusal(
          R"({"id":"a","name":"A","schedule":[{"from":"08:00"},{"from":"09:00"}],"budget":{"daily":{"clicks":1},"total":{"clicks":1}}})"),
      "(taken)");
}

TEST(Definition, refuses_what_is_no_json_or_too_large_or_too_deep) {
  EXPECT_EQ(refusal(""), "expected JSON");
  EXPECT_EQ(refusal("{\"id\": \"\xff\"}"), "expected JSON");
  EXPECT_EQ(refusal("[]"), "expected a JSON object");
  EXPECT_EQ(refusal(with("/ads/0/creative/fields/text", std::string(20'000, ' '))),
            "ads[0].creative.fields: expected an object of at most 20000 bytes");
  EXPECT_EQ(refusal(fine().dump() + std::string(1'000'000, ' ')), "a definition of at most 1000000 bytes is taken");
  EXPECT_EQ(refusal(std::string(500'000, '[')), "the definition is too deep");
  EXPECT_EQ(refusal(R"({"id":"a","name":"A","x":)" + std::string(50, '[') + std::string(50, ']') + "}"),
            "the definition is too deep");
  Json rule = {{"field", "page"}, {"in", {"home"}}};
  for (int i = 0; i < 11; ++i) rule = {{"not", rule}};
  EXPECT_EQ(refusal(with("/targeting", rule)), "(taken)");
  EXPECT_TRUE(
      refusal(with("/targeting", {{"not", rule}})).ends_with("not: at most 12 conditions within another are taken"));
  Json many = Json::array();
  for (int i = 0; i < 500; ++i) many.push_back({{"field", "page"}, {"in", {"home"}}});
  EXPECT_EQ(refusal(with("/targeting", {{"any", many}})), "targeting.any[499]: at most 500 conditions are taken");
  many.erase(0);
  EXPECT_EQ(refusal(with("/targeting", {{"any", many}})), "(taken)");
}

TEST(Definition, reads_slots) {
  const auto slot = read_slot(R"({"id": "hero", "name": "Top", "page": "home", "kinds": ["html", "card"], "width": 970,
    "height": 250, "floor_micros": 5, "examination": 0.5})");
  ASSERT_TRUE(slot) << slot.error().message;
  EXPECT_EQ(slot->name, "Top");
  EXPECT_EQ(slot->kinds, (std::vector{Creative::Kind::html, Creative::Kind::card}));
  EXPECT_EQ(slot->examination, 0.5);
  const std::pair<const char*, const char*> kWrong[] = {
      {R"({"id": "a", "name": "A", "kinds": ["card", "card"]})",
       "kinds[1]: expected each of image, text, card, html once"},
      {R"({"id": "a", "name": "A", "examination": 0})", "examination: expected a number from"},
      {R"({"id": "a", "name": "A", "width": 10})", "width: expected both"},
      {R"({"id": "a", "name": "A", "size": 1})", "size: there is no such member; there are id, name, page"},
      {R"({"id": "a"})", "name: missing"}};
  for (const auto& [text, said] : kWrong) {
    const auto read = read_slot(text);
    ASSERT_FALSE(read) << text;
    EXPECT_TRUE(read.error().message.starts_with(said)) << read.error().message;
  }
}

}  // namespace
}  // namespace marquee::decision
