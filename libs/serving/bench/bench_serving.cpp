// bench_serving: what a decision by the learned policy costs on one thread, and what is made of it: its record, its
// addresses, its answer; and what a profile of the user adds. 2,000 ads of 400 campaigns, half of which are for some
// colleges.
#include <benchmark/benchmark.h>

#include <random>
#include <string>

#include "answer.h"
#include "decision_record.h"
#include "fatigue.h"
#include "marquee/decision/decider.h"
#include "marquee/profile/profile_store.h"
#include "marquee/serving/learned_ranker.h"
#include "model_features.h"
#include "profile_context.h"
#include "seal.h"

namespace {

using namespace marquee;
using namespace marquee::serving;

constexpr std::size_t kCampaigns = 400, kAdsOfACampaign = 5, kColleges = 60;
constexpr std::int64_t kNow = 1'795'737'600'000;

std::string college(std::size_t number) { return "college-" + std::to_string(number % kColleges); }

std::vector<decision::Campaign> campaigns() {
  std::vector<decision::Campaign> all;
  for (std::size_t i = 0; i < kCampaigns; ++i) {
    decision::Campaign one{.id = "campaign-" + std::to_string(i), .status = decision::Status::active};
    one.advertiser = "advertiser-" + std::to_string(i % 100);
    one.category = "category-" + std::to_string(i % 30);
    one.pacing = decision::Pacing::none;
    if (i % 2 == 1) {
      one.targeting = {.kind = decision::Targeting::Kind::is_in, .field = decision::Field::college};
      for (std::size_t k = 0; k < 20; ++k) one.targeting.values.push_back(college(i + k));
    }
    for (std::size_t k = 0; k < kAdsOfACampaign; ++k)
      one.ads.push_back({.id = "ad-" + std::to_string(i) + "-" + std::to_string(k)});
    all.push_back(std::move(one));
  }
  return all;
}

/// A site whose ads have a model: of 20,000 impressions, every fiftieth clicked.
struct Bench {
  Bench() {
    decider.use(decision::Inventory::compile(campaigns(), {{.id = "top"}, {.id = "side"}, {.id = "foot"}}));
    const auto inventory = decider.inventory();
    std::vector<learning::Ad> ads;
    for (const auto& row : inventory->ads()) ads.push_back(model_ad("bench", row));
    const auto table = std::make_shared<const learning::AdTable>(ranker.features(), ads);
    learning::Learner learner(ranker.features(), {});
    learning::RequestFeatures features(ranker.features());
    std::mt19937_64 random(1);
    for (int i = 0; i < 20'000; ++i) {
      features.clear();
      features.add("college", college(random()));
      features.add("page", "home");
      describe_place(features, kNow, "top");
      features.compile();
      const auto rows = features.rows();
      static_cast<void>(
          learner.learn({.rows = std::make_shared<const std::vector<learning::Row>>(rows.begin(), rows.end()),
                         .ad = table->ad(random() % ads.size()),
                         .position = 0,
                         .time_s = 0},
                        i % 50 == 0 ? 1 : 0));
    }
    ranker.use(
        {{inventory, *learning::Scorer::bind(learner.model(), table), std::make_shared<const SeenAds>(*inventory)}}, 1);
  }

  Asked& ask(std::size_t placements) {
    asked = {};
    ++serial;
    name = college(serial);
    auto& request = asked.request;
    request.id = decision::make_decision_id();
    request.context.time_ms = kNow;
    request.context.add(decision::Field::page, "home");
    request.context.add(decision::Field::college, name);
    request.context.add(decision::Field::program, "engineering");
    request.context.add(decision::Field::year, "2");
    request.context.add(decision::Field::device, "desktop");
    request.context.add(decision::Field::search_term, "law");
    request.user_key = serial;
    constexpr std::string_view kSlots[] = {"top", "side", "foot"};
    for (std::size_t i = 0; i < placements; ++i)
      request.placements.push_back({.slot = kSlots[i], .position = static_cast<std::uint8_t>(i + 1)});
    asked.event.site_id = "bench";
    asked.event.college_id = name;
    asked.event.device = "desktop";
    return asked;
  }

  LearnedRanker ranker;
  decision::Decider decider{ranker, Millis(300'000)};
  Asked asked;
  std::string name;
  std::uint64_t serial = 0;
};

Bench& bench() {
  static Bench one;
  return one;
}

void decide(benchmark::State& state) {
  std::size_t candidates = 0;
  for (auto _ : state) {
    const auto decision = bench().decider.decide(bench().ask(static_cast<std::size_t>(state.range(0))).request);
    candidates = decision.choices[0].candidates.size();
  }
  state.counters["candidates"] = static_cast<double>(candidates);
}
BENCHMARK(decide)->Arg(1)->Arg(3);

/// Of a user with as many interests, and as much seen, as a profile has room for.
profile::Profile busy_profile() {
  profile::ProfileStore store({.capacity = 10, .shards = 1, .repeat_window = 1'000});
  profile::PropsReader reader;
  std::uint32_t seq = 0;
  const auto give = [&](event::Type type, const std::string& id, int times) {
    const std::string campaign = "campaign-" + id, ad = "ad-" + id + "-1";
    const std::string props = R"({"age":20,"category":"category-)" + id + "\"}";
    for (int i = 0; i < times; ++i) {
      event::Event event;
      event.site_id = "bench";
      event.user_key = 1;
      event.session_id = 1;
      event.seq = ++seq;
      event.type = type;
      event.consent = event::Consent::full;
      event.event_time_ms = kNow - 1'000;
      event.search_query = event.course_id = id;
      event.campaign_id = campaign;
      event.ad_id = ad;
      event.props = props;
      static_cast<void>(observe(store, reader, {0, seq}, event));
    }
  };
  for (int i = 10; i < 16; ++i) {
    give(event::Type::search, std::to_string(i), 4);
    give(event::Type::course_view, std::to_string(i), 4);
    give(event::Type::impression, std::to_string(i), i - 8);
  }
  return *store.read(*profile::Permission::grant("bench", 1, event::Consent::full, 20));
}

void decide_for_a_known_user(benchmark::State& state) {
  const auto profile = busy_profile();
  for (auto _ : state) {
    auto& asked = bench().ask(static_cast<std::size_t>(state.range(0)));
    describe_profile(profile, asked.profile_texts, asked.request.context);
    benchmark::DoNotOptimize(bench().decider.decide(asked.request));
  }
  state.counters["known"] = static_cast<double>(bench().asked.request.context.known.size());
}
BENCHMARK(decide_for_a_known_user)->Arg(1)->Arg(3);

void describe_a_profile(benchmark::State& state) {
  const auto profile = busy_profile();
  decision::Context context{.time_ms = kNow, .known = {}};
  std::string texts;
  for (auto _ : state) {
    context.known.clear();
    texts.clear();
    describe_profile(profile, texts, context);
    benchmark::DoNotOptimize(context.known.data());
  }
}
BENCHMARK(describe_a_profile);

void write_record(benchmark::State& state) {
  const auto& asked = bench().ask(static_cast<std::size_t>(state.range(0)));
  const auto decision = bench().decider.decide(asked.request);
  std::string record;
  for (auto _ : state) {
    record.clear();
    append_record("bench", asked.request, decision, record);
    benchmark::DoNotOptimize(record.data());
  }
  state.counters["bytes"] = static_cast<double>(record.size());
}
BENCHMARK(write_record)->Arg(1)->Arg(3);

void read_record_again(benchmark::State& state) {
  const auto& asked = bench().ask(1);
  std::string record;
  append_record("bench", asked.request, bench().decider.decide(asked.request), record);
  for (auto _ : state) benchmark::DoNotOptimize(read_record(record));
}
BENCHMARK(read_record_again);

void seal_address(benchmark::State& state) {
  const Seal seal({1});
  auto event = bench().ask(1).event;
  const auto id = decision::text_of(decision::make_decision_id());
  event.decision_id = id;
  event.ad_id = "ad-1-1";
  event.campaign_id = "campaign-1";
  event.slot_id = "top";
  for (auto _ : state) benchmark::DoNotOptimize(seal.address(event, decision::Token::Kind::click, 0, kNow, 1'800'000));
}
BENCHMARK(seal_address);

void answer(benchmark::State& state) {
  const auto& asked = bench().ask(1);
  const auto decision = bench().decider.decide(asked.request);
  const std::vector<Addresses> addresses = {{std::string(400, 'x'), std::string(400, 'y')}};
  for (auto _ : state) benchmark::DoNotOptimize(write_answer(asked, decision, addresses));
}
BENCHMARK(answer);

}  // namespace

BENCHMARK_MAIN();
