// bench_serving: what a decision by the learned policy costs on one thread, and what is made of it: its record, its
// addresses, its answer; and what a profile of the user adds. 2,000 ads of 400 campaigns, half of which are for some
// colleges.
#include <benchmark/benchmark.h>

#include <string>

#include "answer.h"
#include "decision_record.h"
#include "learned_site.h"
#include "marquee/profile/profile_store.h"
#include "profile_context.h"
#include "seal.h"

namespace {

using namespace marquee;
using namespace marquee::serving;

Site& bench() {
  static Site one;
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
