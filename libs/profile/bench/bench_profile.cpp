// bench_profile: applying one event, and reading one profile, among a million of them.
#include <benchmark/benchmark.h>

#include <random>
#include <string>

#include "marquee/profile/profile_store.h"

namespace {

using namespace marquee;
using namespace marquee::profile;

constexpr std::uint64_t kUsers = 1'000'000;
constexpr Seconds kStart = 1'767'225'600;

event::Event make_event(std::uint64_t user, std::uint32_t seq, event::Type type) {
  static const std::array<std::string, 16> kIds = {"a", "b", "c", "d", "e", "f", "g", "h",
                                                   "i", "j", "k", "l", "m", "n", "o", "p"};
  event::Event event;
  event.site_id = "campus";
  event.session_id = user;
  event.seq = seq;
  event.user_key = user;
  event.consent = event::Consent::full;
  event.event_time_ms = event.received_time_ms = (std::int64_t{kStart} + seq / 50) * 1'000;
  event.type = type;
  event.search_query = "data science";
  event.ad_id = kIds[(user * 7 + seq) % kIds.size()];
  event.campaign_id = kIds[(user + seq) % kIds.size()];
  event.page_id = kIds[seq % kIds.size()];
  event.course_id = kIds[(seq + 3) % kIds.size()];
  return event;
}

constexpr std::array<event::Type, 5> kTypes = {event::Type::page_view, event::Type::impression, event::Type::search,
                                               event::Type::course_view, event::Type::click};

/// A million profiles of five events each; made once.
struct Million {
  ProfileStore store{{.partitions = 4}};
  std::uint32_t seq = 0;
  Million() {
    for (const event::Type type : kTypes)
      for (std::uint64_t user = 1; user <= kUsers; ++user) apply(user, type);
  }
  void apply(std::uint64_t user, event::Type type) {
    const auto event = make_event(user, ++seq, type);
    const auto permission = Permission::grant("campus", user, event::Consent::full, 20);
    EventProps props;
    props.category = "science";
    store.apply(*permission, {store.partition_of(permission->id()), seq}, event, props);
  }
};

Million& million() {
  static Million all;
  return all;
}

void apply_event(benchmark::State& state) {
  Million& all = million();
  std::mt19937_64 random(1);
  for (auto _ : state) all.apply(random() % kUsers + 1, kTypes[random() % kTypes.size()]);
  state.SetItemsProcessed(state.iterations());
  const auto [profiles, bytes, evicted, erased] = all.store.state();
  state.counters["bytes_per_profile"] = static_cast<double>(bytes) / static_cast<double>(profiles);
}
BENCHMARK(apply_event);

/// What a log's record costs on the way: read, its props, whether it may be.
void observe_record(benchmark::State& state) {
  Million& all = million();
  std::vector<std::string> records(10'000);
  std::mt19937_64 random(2);
  for (std::string& record : records) {
    auto event = make_event(random() % kUsers + 1, ++all.seq, kTypes[random() % kTypes.size()]);
    event.props = R"({"age":20,"category":"science"})";
    event::encode(event, record);
  }
  PropsReader reader;
  std::size_t at = 0;
  for (auto _ : state) {
    auto event = event::decode(records[at++ % records.size()]);
    event->seq = all.seq + 1;  // No repeat.
    benchmark::DoNotOptimize(observe(all.store, reader, {0, ++all.seq}, *event));
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(observe_record);

void read_profile(benchmark::State& state) {
  Million& all = million();
  std::mt19937_64 random(3);
  for (auto _ : state) {
    const auto permission = Permission::grant("campus", random() % kUsers + 1, event::Consent::full, 20);
    benchmark::DoNotOptimize(all.store.read(*permission));
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(read_profile)->ThreadRange(1, 2)->UseRealTime();

void read_nobody(benchmark::State& state) {
  Million& all = million();
  std::mt19937_64 random(4);
  for (auto _ : state) {
    const auto permission = Permission::grant("campus", random() | 1ULL << 40, event::Consent::full, 20);
    benchmark::DoNotOptimize(all.store.read(*permission));
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(read_nobody);

}  // namespace

BENCHMARK_MAIN();
