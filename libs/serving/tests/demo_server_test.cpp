// What the demo tells of its visitors' students, and of nobody else: through HTTP, the logs and the profiles.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <functional>
#include <memory>
#include <thread>

#include "demo_visit.h"
#include "marquee/profile/profile_feeder.h"
#include "marquee/serving/demo_server.h"
#include "serving_fixture.h"

namespace marquee::serving {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

constexpr std::string_view kNames =
    R"("names":{"category":["law","art"],"word":["jury"],"course":["course-1"],"campaign":["a"],"ad":["a0"]})";

class DemoServerTest : public ServingTest {
 protected:
  ~DemoServerTest() override { end(); }

  void begin_demo(std::vector<decision::Campaign> campaigns) {
    feeder = std::move(*profile::ProfileFeeder::open(*events, 1'000, {.directory = directory + "/profiles"}));
    profiles = &feeder->store();
    demo = std::make_unique<DemoServer>(DemoOptions{.site_id = "campus",
                                                    .hash_key = {1},
                                                    .token_key = {2},
                                                    .requests_per_second = requests_per_second,
                                                    .profiles = profiles,
                                                    .clock = clock});
    explanations = &demo->explanations();
    begin(std::move(campaigns));
    http::Router router;
    demo->add_routes(router);
    pages = std::make_unique<http::Server>(http::ServerOptions{}, std::move(router));
    ASSERT_TRUE(pages->start());
    asking = std::make_unique<http::Client>("http://127.0.0.1:" + std::to_string(pages->port()));
  }

  http::Response demo_post(std::string_view path, std::string_view body = "") {
    http::Headers headers;
    headers.add("Origin", "https://evil.example");
    return asking->send("POST", path, headers, body).value();
  }
  std::string text_of(const http::Response& answer, std::string_view member) {
    simdjson::dom::parser parser;
    return std::string(parser.parse(answer.body)[member].get_string().value());
  }
  std::string begin_visit() { return text_of(demo_post("/v1/demo/visits"), "visit"); }
  http::Response profile_of(std::string_view user, std::string_view permission = R"("consent":"full","age":20)") {
    return demo_post("/v1/demo/profile", fmt::format(R"({{"user_id":"{}",{},{}}})", user, permission, kNames));
  }
  /// The student sees the ad and clicks it, and looks at a course.
  void play(const std::string& user) {
    const auto one = served(
        post(fmt::format(R"({{"placements":[{{"slot_id":"top"}}],"consent":"full","age":20,"user_id":"{}"}})", user)));
    get(one.at(0).impression);
    get(one.at(0).click);
    const auto until = std::chrono::steady_clock::now() + 20s;
    while (feeder->lag() > 0 && std::chrono::steady_clock::now() < until) std::this_thread::yield();
  }

  double requests_per_second = 0;
  std::unique_ptr<profile::ProfileFeeder> feeder;
  std::unique_ptr<DemoServer> demo;
  std::unique_ptr<http::Server> pages;
  std::unique_ptr<http::Client> asking;
};

TEST_F(DemoServerTest, tells_a_visitor_what_is_known_of_the_student_that_they_play) {
  auto law = campaign("a", 1);
  law.category = "law";
  begin_demo({law});
  const auto student = begin_visit() + ".asha";
  EXPECT_THAT(profile_of(student).body, HasSubstr(R"("personal":true,"profile":null)"));
  play(student);
  const auto known = profile_of(student);
  ASSERT_EQ(known.status, 200U) << known.body;
  EXPECT_EQ(known.headers.get("Cache-Control"), "no-store");
  EXPECT_THAT(known.body, HasSubstr(R"("impressions":1,"clicks":1)"));
  EXPECT_THAT(known.body, HasSubstr(R"("categories":[{"name":"law","weight":2.00}])"));
  EXPECT_THAT(known.body, HasSubstr(R"("campaigns_seen":[{"name":"a","weight":1.00}])"));
  EXPECT_THAT(known.body, HasSubstr(R"("ads_clicked":[{"name":"a0","weight":1.00}])"));
}

TEST_F(DemoServerTest, names_only_what_the_asker_has_a_name_for) {
  auto secret = campaign("hidden", 1);
  secret.category = "secret";
  begin_demo({secret});
  const auto student = begin_visit() + ".asha";
  play(student);
  const auto known = profile_of(student).body;
  EXPECT_THAT(known, HasSubstr(R"("categories":[])"));
  EXPECT_THAT(known, HasSubstr(R"("unnamed":5)")) << "a category, a campaign and an ad that were seen and clicked";
  EXPECT_THAT(known, Not(HasSubstr("hidden")));
}

TEST_F(DemoServerTest, tells_nothing_of_anyone_but_students_of_visits_that_it_gave_out) {
  begin_demo({campaign("a", 1)});
  const auto visit = begin_visit();
  const auto student = visit + ".asha";
  play("student-17");
  EXPECT_EQ(profile_of(student).status, 200U);
  auto forged = student;
  forged[forged.find('.') - 1] = forged[forged.find('.') - 1] == '0' ? '1' : '0';
  auto other = student;
  other[5] = other[5] == '0' ? '1' : '0';
  const DemoVisits elsewhere({3});
  for (const auto& user : {std::string("student-17"), visit, visit + ".", visit + ".A", visit + ".as ha", forged, other,
                           elsewhere.begin() + ".asha", "x" + student, student + std::string(40, 'a')}) {
    const auto refused = profile_of(user);
    EXPECT_EQ(refused.status, 403U) << user;
    EXPECT_THAT(refused.body, Not(HasSubstr("impressions"))) << user;
  }
}

TEST_F(DemoServerTest, looks_at_no_profile_without_consent_or_of_who_may_be_a_minor) {
  begin_demo({campaign("a", 1)});
  const auto student = begin_visit() + ".asha";
  play(student);
  for (const auto* permission :
       {R"("consent":"full","age":17)", R"("consent":"full")", R"("consent":"contextual","age":20)", R"("age":20)"})
    EXPECT_EQ(profile_of(student, permission).body, R"({"personal":false})") << permission;
}

TEST_F(DemoServerTest, explains_decisions_of_its_own_key_to_who_has_their_id) {
  auto aimed = campaign("s", 1);
  aimed.name = "Aimed";
  aimed.targeting = {.kind = decision::Targeting::Kind::is_in, .field = decision::Field::page, .values = {"x"}};
  begin_demo({aimed, campaign("a", 3)});
  demo_key = text_of(demo_post("/v1/demo/visits"), "key");
  const std::string body = R"({"placements":[{"slot_id":"top"}],"page_id":"home"})";
  const auto own = served(post(body, demo_key)).at(0);
  const auto foreign = served(post(body, "page")).at(0);
  const auto explain = [&](const std::string& id) {
    return asking->send("GET", "/v1/demo/decisions/" + id, {}, "").value();
  };
  const auto why = explain(own.decision);
  ASSERT_EQ(why.status, 200U);
  simdjson::dom::parser parser;
  const simdjson::dom::element root = parser.parse(why.body);
  const auto placement = root["placements"].at(0);
  EXPECT_EQ(placement["ad_id"].get_string().value(), own.ad);
  EXPECT_EQ(placement["candidates"].get_array().value().size(), 3U);
  EXPECT_THAT(why.body,
              HasSubstr(R"("excluded":[{"ad_id":"s0","campaign_id":"s","campaign":"Aimed","because":"targeting"}])"));
  EXPECT_THAT(why.body, HasSubstr(R"({"field":"page","value":"home"})"));
  EXPECT_EQ(explain(foreign.decision).status, 404U);
  EXPECT_EQ(explain(std::string(32, '0')).status, 404U);
  // The answer itself does not say more than any page's does.
  EXPECT_THAT(post(body, demo_key).body, Not(HasSubstr("excluded")));
}

TEST_F(DemoServerTest, lets_no_other_origin_read_and_no_address_ask_without_end) {
  requests_per_second = 5;
  begin_demo({campaign("a", 1)});
  EXPECT_FALSE(demo_post("/v1/demo/visits").headers.has("Access-Control-Allow-Origin"));
  unsigned refused = 0;
  for (int i = 0; i < 20; ++i) refused += demo_post("/v1/demo/visits").status == 429 ? 1U : 0U;
  EXPECT_GT(refused, 5U);
}

TEST_F(DemoServerTest, refuses_what_it_cannot_read_and_says_where) {
  begin_demo({campaign("a", 1)});
  const auto refusal = [&](std::string_view body) {
    const auto answer = demo_post("/v1/demo/profile", body);
    EXPECT_EQ(answer.status, 400U) << body;
    return answer.body;
  };
  EXPECT_THAT(refusal("["), HasSubstr("no JSON object"));
  EXPECT_THAT(refusal("{}"), HasSubstr("user_id"));
  EXPECT_THAT(refusal(R"({"user_id":"u","age":"20"})"), HasSubstr("age"));
  EXPECT_THAT(refusal(R"({"user_id":"u","names":{"colour":[]}})"), HasSubstr("colour"));
  EXPECT_THAT(refusal(R"({"user_id":"u","names":{"word":[1]}})"), HasSubstr("word"));
  EXPECT_EQ(demo_post("/v1/demo/profile", std::string(70'000, ' ')).status, 413U);
}

TEST(Explanations, let_the_oldest_go_where_there_are_too_many) {
  Explanations all("key");
  const std::string text(Explanations::kMostBytes / 4, 'x');
  for (const auto* id : {"1", "2", "3", "4"}) all.keep(id, text);
  EXPECT_FALSE(all.find("1"));
  EXPECT_TRUE(all.find("2"));
  EXPECT_TRUE(all.find("4"));
  all.keep("5", std::string(Explanations::kMostBytes + 1, 'x'));
  EXPECT_FALSE(all.find("5"));
  EXPECT_TRUE(all.find("4"));
}

}  // namespace
}  // namespace marquee::serving
