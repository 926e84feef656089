#include "marquee/serving/decision_server.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <map>
#include <set>

#include "decision_record.h"
#include "marquee/serving/learned_ranker.h"
#include "serving_fixture.h"

namespace marquee::serving {
namespace {

using testing::HasSubstr;

constexpr const char* kTop = R"({"placements":[{"slot_id":"top"}]})";

TEST_F(ServingTest, counts_an_impression_and_its_click_once) {
  begin({campaign("a", 3)});
  const auto one = ask_user("u");
  ASSERT_FALSE(one.ad.empty());
  clock->advance(Millis(1'500));
  for (int i = 0; i < 3; ++i) {
    const auto pixel = get(one.impression);
    EXPECT_EQ(pixel.status, 200U);
    EXPECT_EQ(pixel.headers.get("Content-Type"), "image/gif");
    const auto click = get(one.click);
    EXPECT_EQ(click.status, 302U);
    EXPECT_EQ(click.headers.get("Location"), "https://example.org/" + one.ad);
  }
  const auto all = logged_events();
  ASSERT_EQ(all.size(), 2U);
  std::set<event::Type> types;
  for (const auto& event : all) {
    types.insert(event.type);
    EXPECT_EQ(event.site_id, "campus");
    EXPECT_EQ(event.decision_id, one.decision);
    EXPECT_EQ(event.ad_id, one.ad);
    EXPECT_EQ(event.campaign_id, "a");
    EXPECT_EQ(event.slot_id, "top");
    EXPECT_EQ(event.position, 1);
    EXPECT_EQ(event.policy, "uniform") << "without its version";
    EXPECT_FLOAT_EQ(event.propensity, 1.0F / 3);
    EXPECT_EQ(event.user_key, event::hash_user({1}, "u"));
    EXPECT_EQ(event.props, R"({"after_ms":1500,"age":20})") << "an adult's: it may be in the profile";
    EXPECT_EQ(event.device, "desktop");
  }
  EXPECT_EQ(types, (std::set{event::Type::impression, event::Type::click}));
  EXPECT_EQ(metric(R"(marquee_served_events_total{outcome="replayed",type="impression"})"), 2);
  EXPECT_EQ(metric(R"(marquee_served_events_total{outcome="replayed",type="click"})"), 2);
}

TEST_F(ServingTest, takes_where_it_was_shown_and_clicked_from_the_page_and_ignores_what_is_no_position) {
  begin({campaign("a", 3)});
  const auto one = ask_user("u"), other = ask_user("v");
  get(one.impression + "?page_x=5000&page_y=10000");
  EXPECT_EQ(get(one.click + "?x=0&y=9999&page_x=10001&page_y=-1").status, 302U);
  EXPECT_EQ(get(one.click + "?x=1&y=1").status, 302U) << "is a repeat: it changes nothing";
  get(other.impression + "?x=&y=1.5&page_x=a&page_y=1%200");
  std::map<std::pair<event::Type, std::uint64_t>, std::array<event::Permyriad, 4>> places;
  for (const auto& event : logged_events())
    places[{event.type, event.user_key}] = {event.slot_x, event.slot_y, event.page_x, event.page_y};
  constexpr auto kNone = event::kNoPermyriad;
  using Place = std::array<event::Permyriad, 4>;
  const auto u = event::hash_user({1}, "u"), v = event::hash_user({1}, "v");
  ASSERT_EQ(places.size(), 3U);
  EXPECT_EQ((places[{event::Type::impression, u}]), (Place{kNone, kNone, 5000, 10000}));
  EXPECT_EQ((places[{event::Type::click, u}]), (Place{0, 9999, kNone, kNone}));
  EXPECT_EQ((places[{event::Type::impression, v}]), (Place{kNone, kNone, kNone, kNone}));
}

TEST_F(ServingTest, answers_a_flood_of_one_address_and_counts_nothing_of_it) {
  address_requests_per_second = 0.001;  // One, and the next in a quarter of an hour.
  begin({campaign("a", 2)});
  const auto body = R"({"placements":[{"slot_id":"top"},{"slot_id":"side"}]})";
  const auto two = served(post(body, "server"));
  EXPECT_EQ(served(post(body, "server")).size(), 2U) << "a server asks for many users";
  for (int i = 0; i < 2; ++i) EXPECT_EQ(get(two[0].impression).status, 200U) << "a bucket may go below zero once";
  EXPECT_EQ(get(two[1].impression).headers.get("Content-Type"), "image/gif");
  EXPECT_EQ(get(two[0].click).headers.get("Location"), "https://example.org/" + two[0].ad);
  EXPECT_EQ(get("/v1/click/forged").status, 404U);
  const auto refused = post(body);
  EXPECT_EQ(refused.status, 429U);
  EXPECT_GT(std::stoi(std::string(refused.headers.get("Retry-After"))), 0);
  EXPECT_EQ(logged_events().size(), 1U);
  EXPECT_EQ(metric(R"(marquee_served_events_total{outcome="flood",type="impression"})"), 1);
  EXPECT_EQ(metric(R"(marquee_served_events_total{outcome="flood",type="click"})"), 2);
}

TEST_F(ServingTest, does_not_count_what_a_clock_that_was_ahead_has_served) {
  begin({campaign("a", 1)});
  clock->advance(Millis(3'600'000));
  const auto one = ask(kTop).at(0);
  clock->advance(Millis(-3'600'000));
  EXPECT_EQ(get(one.impression).status, 200U);
  EXPECT_EQ(logged_events().size(), 0U) << "it could be counted an hour longer than it is reserved";
  EXPECT_EQ(metric(R"(marquee_served_events_total{outcome="clock",type="impression"})"), 1);
  EXPECT_FALSE(ask(kTop).at(0).ad.empty());
}

TEST_F(ServingTest, answers_but_does_not_count_what_is_not_to_be_counted) {
  begin({campaign("a", 1)});
  const auto one = ask(kTop).at(0);
  const auto landing = "https://example.org/a0";
  EXPECT_EQ(get(one.click).headers.get("Location"), landing) << "before its impression";
  EXPECT_EQ(get(one.impression, "Googlebot/2.1").status, 200U);
  EXPECT_EQ(get("/v1/impression/" + one.click.substr(10)).status, 200U) << "a click's token is no impression's";
  EXPECT_EQ(get("/v1/impression/forged").status, 200U);
  EXPECT_EQ(get("/v1/click/" + one.impression.substr(15)).status, 404U);
  EXPECT_EQ(get("/v1/click/forged").status, 404U);
  clock->advance(kImpressionLife);
  EXPECT_EQ(get(one.impression).status, 200U) << "too late";
  clock->advance(kClickLife);
  EXPECT_EQ(get(one.click).headers.get("Location"), landing);
  EXPECT_TRUE(logged_events().empty());
  EXPECT_EQ(metric(R"(marquee_served_events_total{outcome="no_impression",type="click"})"), 1);
  EXPECT_EQ(metric(R"(marquee_served_events_total{outcome="bot",type="impression"})"), 1);
  EXPECT_EQ(metric(R"(marquee_served_events_total{outcome="forged",type="impression"})"), 2);
  EXPECT_EQ(metric(R"(marquee_served_events_total{outcome="forged",type="click"})"), 2);
  EXPECT_EQ(metric(R"(marquee_served_events_total{outcome="expired",type="impression"})"), 1);
  EXPECT_EQ(metric(R"(marquee_served_events_total{outcome="expired",type="click"})"), 1);
}

TEST_F(ServingTest, sends_nobody_to_what_is_no_web_address) {
  auto odd = campaign("a", 1);
  for (const char* address : {"javascript:alert(1)", "//evil.example/", "law"}) {
    odd.ads[0].creative.landing_url = address;
    begin({odd});
    EXPECT_EQ(get(ask(kTop).at(0).click).status, 404U) << address;
    end();
  }
}

TEST_F(ServingTest, sends_to_a_page_of_its_own) {
  auto own = campaign("a", 1);
  own.ads[0].creative.landing_url = "/demo/courses/course-1?from=ad";
  begin({own});
  EXPECT_EQ(get(ask(kTop).at(0).click).headers.get("Location"), "/demo/courses/course-1?from=ad");
}

TEST_F(ServingTest, tells_what_each_stage_of_a_decision_took) {
  begin({campaign("a", 3)});
  const auto counts = [&] {
    std::map<std::string, double> all;
    for (const auto* stage : {"read", "write", "log"})  // What is sent is counted a moment after the answer came.
      all[stage] = metric(fmt::format("marquee_decision_stage_seconds_count{{stage=\"{}\"}}", stage));
    return all;
  };
  const auto before = counts();
  for (int i = 0; i < 2; ++i) ASSERT_FALSE(ask_user("u").ad.empty());
  for (const auto& [stage, count] : counts()) EXPECT_EQ(count, before.at(stage) + 2) << stage;
}

TEST_F(ServingTest, logs_every_decision_with_its_candidates_before_it_answers) {
  begin({campaign("a", 3)});
  std::set<std::pair<std::string, std::string>> answered, logged;
  for (int i = 0; i < 50; ++i)
    for (const auto& one : ask(R"({"placements":[{"slot_id":"top"},{"slot_id":"side"}]})"))
      answered.emplace(one.decision, one.ad);
  const auto records = decisions->read(0, 0, 1'000'000, 1 << 30).value();
  for (const auto record : records.records) {
    const auto choices = read_record(record).value();
    for (const auto& one : choices) logged.emplace(one.decision_id, one.ad_id);
  }
  EXPECT_EQ(answered.size(), 100U);
  EXPECT_EQ(logged, answered);
}

TEST_F(ServingTest, serves_nothing_that_it_cannot_log_and_reserves_nothing_for_it) {
  refusing = std::make_unique<RefusingLog>();
  auto one = campaign("a", 1);
  one.total.impressions = 1;
  begin({one});
  for (int i = 0; i < 3; ++i) {
    const auto answer = ask(kTop).at(0);
    EXPECT_EQ(answer.ad, "");
    EXPECT_EQ(answer.because, "not_logged");
  }
  refusing->is_refusing = false;
  while (ask(kTop).at(0).because == "not_ready") std::this_thread::yield();
  EXPECT_EQ(ask(kTop).at(0).because, "no_candidate") << "the one that there is was just served";
}

TEST_F(ServingTest, neither_reads_nor_writes_a_profile_without_consent_or_of_a_minor) {
  auto student = campaign("student", 1, decision::Tier::sponsorship);
  student.targeting = {.kind = decision::Targeting::Kind::is_in, .field = decision::Field::college, .values = {"law"}};
  auto capped = campaign("capped", 1);
  capped.caps = {{.scope = decision::CapScope::ad, .count = 1, .window_ms = 3'600'000}};
  begin({student, capped});
  const std::string who = R"("user_id":"u","session_id":"s","college_id":"law","city":"X","attributes":{"a":"b"},)"
                          R"("placements":[{"slot_id":"top"}])";
  for (const auto* permission :
       {R"("consent":"full")", R"("consent":"full","age":17)", R"("age":30)", R"("consent":"contextual","age":30)",
        R"("consent":"denied","age":30)", R"("consent":"unknown","age":30)"}) {
    const auto answer = post("{" + who + "," + permission + "}");
    EXPECT_THAT(answer.body, HasSubstr(R"("personal":false)"));
    const auto one = served(answer).at(0);
    EXPECT_EQ(one.ad, "capped0") << permission;
    get(one.impression);
    get(one.click);
  }
  for (const auto& event : logged_events()) {
    EXPECT_EQ(event.user_key, 0U);
    EXPECT_EQ(event.session_id, 0U);
    EXPECT_EQ(event.college_id, "");
    EXPECT_EQ(event.city, "");
    EXPECT_EQ(event.props.find("age"), std::string_view::npos);
  }
  EXPECT_EQ(logged_events().size(), 12U);
  end();
  begin({student, capped});
  int users = 0;
  sites->at("campus").caps().for_each([&](std::uint64_t, std::span<const decision::Stamp>) { ++users; });
  EXPECT_EQ(users, 0);
  EXPECT_EQ(ask("{" + who + R"(,"consent":"full","age":18})").at(0).ad, "student0")
      << "with permission it is looked at";
  const auto logged = decisions->read(0, 0, 1'000, 1 << 30).value();
  for (const auto& record : logged.records)
    EXPECT_EQ(record.find("law") != std::string_view::npos, &record == &logged.records.back());
}

TEST_F(ServingTest, remembers_caps_budgets_and_spent_tokens_over_a_restart) {
  auto one = campaign("a", 1);
  one.caps = {{.scope = decision::CapScope::ad, .count = 2, .window_ms = 3'600'000}};
  auto rich = campaign("b", 1, decision::Tier::house);
  rich.total.impressions = 3;
  begin({one, rich});
  const auto first = ask_user("u"), second = ask_user("u");
  get(first.impression);  // The second is served and not seen yet.
  EXPECT_EQ(ask_user("u").ad, "b0");
  const auto house = ask_user("u");
  EXPECT_EQ(house.ad, "b0");
  get(house.impression);
  end();
  begin({one, rich});
  EXPECT_EQ(ask_user("u").ad, "b0") << "one seen, one reserved";
  get(first.impression);
  get(second.impression);
  get(second.impression);
  EXPECT_EQ(metric(R"(marquee_served_events_total{outcome="replayed",type="impression"})"), 2);
  EXPECT_EQ(ask_user("u").ad, "") << "three of the house's are seen or reserved, too";
  clock->advance(Millis(3'600'001));
  EXPECT_EQ(ask_user("u").ad, "a0");
}

TEST_F(ServingTest, does_not_count_events_that_only_look_as_if_they_had_been_served) {
  auto one = campaign("a", 1);
  one.total.impressions = 2;
  begin({one});
  const auto served_one = ask(kTop).at(0);
  get(served_one.impression);
  event::Event fake = logged_events().at(0);
  std::vector<log::Batch> batches;
  for (int i = 0; i < 50; ++i) {
    const std::string id = "served-" + std::string(31, '0') + std::to_string(i % 10), decision = std::to_string(i);
    fake.external_id = id;
    fake.decision_id = decision;
    std::string record;
    event::encode(fake, record);
    batches.emplace_back(0).add(record);
  }
  events->append(std::move(batches), [](Result<void> done) { EXPECT_TRUE(done); });
  end();  // Takes in all of the log.
  begin({one});
  EXPECT_EQ(sites->at("campus").account("a").state().whole.impressions, 1U);
}

TEST_F(ServingTest, charges_first_price_and_no_more_for_a_click_than_is_left) {
  auto click = campaign("c", 1);
  click.price = decision::Price::per_click;
  click.bid_micros = 400'000;
  click.total.spend_micros = 500'000;
  auto thousand = campaign("m", 1, decision::Tier::house);
  thousand.bid_micros = 2'500'000;
  begin({click, thousand});
  for (std::uint64_t clicks = 1; clicks <= 2; ++clicks) {
    const auto one = ask(kTop).at(0);
    ASSERT_EQ(one.ad, "c0");
    get(one.impression);
    get(one.click);
    while (sites->at("campus").account("c").state().whole.clicks < clicks) std::this_thread::yield();
  }
  const auto next = ask(kTop).at(0);
  EXPECT_EQ(next.ad, "m0") << "the other has nothing left";
  get(next.impression);
  std::multiset<double> prices;
  for (const auto& event : logged_events()) prices.insert(event.value);
  EXPECT_EQ(prices, (std::multiset<double>{0, 0, 0.0025, 0.1, 0.4}));
}

TEST_F(ServingTest, spends_what_the_auction_asks) {
  const LearnedRanker ranker(decision::Auction::second_price);  // By bids alone, as nothing is learned.
  ranker_in_use = &ranker;
  auto rich = campaign("r", 1), poor = campaign("p", 1);
  rich.bid_micros = 2'500'000;
  rich.total.spend_micros = 10'000;  // Of four impressions at its bid, of ten at the other's.
  poor.bid_micros = 1'000'000;
  begin({rich, poor});
  std::map<std::string, std::multiset<double>> paid;
  std::uint64_t of_rich = 0;
  for (int i = 0; i < 60; ++i) {
    const auto one = ask(kTop).at(0);
    get(one.impression);
    of_rich += one.ad == "r0" ? 1 : 0;
    // Counted before the next is asked: what is reserved is reserved at the bid.
    while (sites->at("campus").account("r").state().whole.impressions < of_rich) std::this_thread::yield();
  }
  for (const auto& event : logged_events()) paid[std::string(event.ad_id)].insert(event.value);
  EXPECT_EQ(paid["r0"].count(0.001), paid["r0"].size()) << "what the runner-up forces";
  EXPECT_EQ(paid["p0"].count(0), paid["p0"].size()) << "nobody stands below it";
  EXPECT_EQ(of_rich, 8U) << "until what is left is less than its bid";
  EXPECT_EQ(sites->at("campus").account("r").state().whole.spend, 8'000'000);
}

TEST_F(ServingTest, names_what_is_wrong_with_a_request) {
  begin({campaign("a", 1)});
  const auto refusal = [&](std::string_view body) {
    const auto answer = post(body);
    EXPECT_EQ(answer.status, 400U) << body;
    return answer.body;
  };
  EXPECT_THAT(refusal("["), HasSubstr("no JSON object"));
  EXPECT_THAT(refusal("{}"), HasSubstr("placements"));
  EXPECT_THAT(refusal(R"({"placements":[]})"), HasSubstr("1 to 20"));
  EXPECT_THAT(refusal(R"({"placements":[{"slot":"top"}]})"), HasSubstr("slot_id"));
  EXPECT_THAT(refusal(R"({"placements":[{"slot_id":"top"}],"usr":"x"})"), HasSubstr("usr"));
  EXPECT_THAT(refusal(R"({"placements":[{"slot_id":"top"}],"consent":"yes"})"), HasSubstr("consent"));
  EXPECT_THAT(refusal(R"({"placements":[{"slot_id":"top"}],"age":"20"})"), HasSubstr("age"));
  EXPECT_THAT(refusal(R"({"placements":[{"slot_id":"top"}],"why":true})"), HasSubstr("trusted"));
  EXPECT_THAT(refusal(R"({"placements":[{"slot_id":"top"}],"segments":["s"]})"), HasSubstr("trusted"));
  EXPECT_EQ(post(kTop, "wrong").status, 403U);
  owner.allowed_origin = "https://campus.example";
  EXPECT_EQ(post(kTop, "page", {{"Origin", "https://evil.example"}}).status, 403U);
  const auto unknown = post(kTop, "no such key", {{"Origin", "https://campus.example"}});
  EXPECT_EQ(unknown.status, 403U);
  EXPECT_EQ(unknown.headers.get("Access-Control-Allow-Origin"), "https://campus.example") << "a page must see the 403";
  const auto allowed = post(kTop, "page", {{"Origin", "https://campus.example"}});
  EXPECT_EQ(allowed.status, 200U);
  EXPECT_EQ(allowed.headers.get("Access-Control-Allow-Origin"), "https://campus.example");
}

TEST_F(ServingTest, says_why_and_who_came_next_to_who_may_ask) {
  auto student = campaign("s", 1);
  student.targeting = {.kind = decision::Targeting::Kind::is_in, .field = decision::Field::page, .values = {"x"}};
  begin({student, campaign("a", 4)});
  const auto answer = post(R"({"placements":[{"slot_id":"top"}],"why":true,"runner_ups":2})", "server");
  EXPECT_THAT(answer.body, HasSubstr(R"({"ad_id":"s0","because":"targeting"})"));
  simdjson::dom::parser parser;
  const simdjson::dom::element root = parser.parse(answer.body);
  const auto placement = root["placements"].at(0);
  EXPECT_EQ(placement["why"]["candidates"].get_array().value().size(), 4U);
  EXPECT_EQ(placement["runner_ups"].get_array().value().size(), 2U);
  EXPECT_EQ(placement["ad"]["creative"]["fields"]["title"].get_string().value(), "T");
}

TEST_F(ServingTest, takes_the_time_from_a_server_alone_and_counts_at_that_time) {
  begin({campaign("a", 2)});
  constexpr std::int64_t kThen = 1'700'000'000'000;  // More than a year ago.
  EXPECT_EQ(post(R"({"placements":[{"slot_id":"top"}],"time":1700000000000})").status, 400U);
  const auto one = served(post(R"({"placements":[{"slot_id":"top"}],"time":1700000000000})", "server")).at(0);
  ASSERT_FALSE(one.ad.empty());
  for (const std::string key : {"", "page", "wrong"}) {
    EXPECT_EQ(get(one.impression + "?time=1700000001000", kBrowser, key).status, 403U) << key;
    EXPECT_EQ(get(one.click + "?time=1700000001000", kBrowser, key).status, 403U) << key;
  }
  for (const std::string time : {"", "x", "-1", "1700000000000x", "1699999999999", "9999999999999999"})
    EXPECT_EQ(get(one.impression + "?time=" + time, kBrowser, "server").status, 403U) << time;
  EXPECT_TRUE(logged_events().empty());
  EXPECT_EQ(get(one.impression + "?time=1700000001000", kBrowser, "server").status, 200U);
  EXPECT_EQ(get(one.impression + "?time=1700000001000", kBrowser, "server").status, 200U) << "again";
  EXPECT_EQ(get(one.click + "?time=2023-11-14T22:13:30Z", kBrowser, "server").status, 302U);
  const auto all = logged_events();
  ASSERT_EQ(all.size(), 2U);
  for (const auto& event : all) {
    const auto after = event.type == event::Type::click ? 10'000 : 1'000;
    EXPECT_EQ(event.event_time_ms, kThen + after);
    EXPECT_EQ(event.received_time_ms, clock->now().time_since_epoch().count());
    EXPECT_EQ(event.props, fmt::format(R"({{"after_ms":{}}})", after));
  }
}

TEST_F(ServingTest, expires_addresses_by_the_time_that_a_server_gives_and_forgets_tokens_by_the_clock) {
  begin({campaign("a", 2)});
  const auto far = clock->now().time_since_epoch().count() + 30LL * 86'400'000;  // A month to come.
  const auto body = fmt::format(R"({{"placements":[{{"slot_id":"top"}}],"time":{}}})", far);
  const auto late = served(post(body, "server")).at(0), fine = served(post(body, "server")).at(0);
  const auto at = [&](const std::string& url, std::int64_t ms) {
    return get(fmt::format("{}?time={}", url, ms), kBrowser, "server").status;
  };
  EXPECT_EQ(at(late.impression, far + kImpressionLife.count()), 200U);
  EXPECT_EQ(metric(R"(marquee_served_events_total{outcome="expired",type="impression"})"), 1);
  EXPECT_EQ(at(fine.impression, far + kImpressionLife.count() - 1), 200U);
  EXPECT_EQ(at(fine.click, far + kClickLife.count() - 1), 302U);
  EXPECT_EQ(logged_events().size(), 2U);
  // Others' tokens, of now, are remembered and forgotten as ever.
  const auto now = ask(kTop).at(0);
  for (int i = 0; i < 2; ++i) EXPECT_EQ(get(now.impression).status, 200U);
  EXPECT_EQ(metric(R"(marquee_served_events_total{outcome="replayed",type="impression"})"), 1);
}

}  // namespace
}  // namespace marquee::serving
