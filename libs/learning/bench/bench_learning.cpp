// bench_learning: what a request costs (its features, scores of all candidates, the choice), what an example costs, and
// what a version costs.
#include <benchmark/benchmark.h>

#include <numeric>

#include "marquee/learning/exploration.h"
#include "marquee/learning/scorer.h"
#include "mix.h"

namespace {

using namespace marquee::learning;

std::vector<Ad> make_ads(std::size_t count) {
  std::vector<Ad> ads;
  for (std::size_t i = 0; i < count; ++i)
    ads.push_back({.id = "ad" + std::to_string(i),
                   .site = "site",
                   .campaign = "campaign" + std::to_string(i / 5),
                   .category = "category" + std::to_string(i / 5 % 30),
                   .advertiser = "advertiser" + std::to_string(i / 15),
                   .attributes = {}});
  return ads;
}

// A few dozen features, as a page of a course has them; half of the names of no term.
void fill(RequestFeatures& request, std::uint64_t seed) {
  static constexpr const char* kNames[] = {"hour", "device", "page", "course", "slot",  "program", "year",    "college",
                                           "city", "day",    "os",   "lang",   "email", "theme",   "browser", "zone"};
  request.clear();
  std::uint64_t n = 0;
  char value[] = "value 0";
  for (const char* name : kNames) {
    value[6] = static_cast<char>('0' + random_bits(seed, n++) % 10);
    request.add(name, value);
  }
  for (int word = 0; word < 3; ++word) value[6] = static_cast<char>('a' + word), request.add("query", value);
  for (int topic = 0; topic < 8; ++topic) {
    value[6] = static_cast<char>('A' + random_bits(seed, n++) % 20);
    request.add("interest", value, 0.4F);
  }
  request.compile();
}

LearnerOptions options_of(unsigned slots_log2) {
  LearnerOptions options;
  options.slots_log2 = slots_log2;
  return options;
}

struct Bench {
  FeatureSpec spec = *FeatureSpec::parse({});
  std::shared_ptr<const AdTable> ads;
  Learner learner;
  std::vector<Impression> impressions;

  Bench(std::size_t count, unsigned slots_log2)
      : ads(std::make_shared<const AdTable>(spec, make_ads(count))), learner(spec, options_of(slots_log2)) {
    RequestFeatures request(spec);
    for (std::uint64_t i = 0; i < 20'000; ++i) {
      fill(request, i);
      impressions.push_back({.rows = std::make_shared<std::vector<Row>>(request.rows().begin(), request.rows().end()),
                             .ad = ads->ad(random_bits(1, i) % count),
                             .position = static_cast<std::uint8_t>(i % 4),
                             .time_s = 0});
    }
    for (std::uint64_t i = 0; i < impressions.size(); ++i)
      (void)learner.learn(impressions[i], random_bits(2, i) % 50 == 0);
  }
};

void make_features(benchmark::State& state) {
  const auto spec = *FeatureSpec::parse({});
  RequestFeatures request(spec);
  std::uint64_t seed = 0;
  for (auto _ : state) fill(request, seed++);
  state.counters["rows"] = static_cast<double>(request.rows().size());
}
BENCHMARK(make_features);

// Arguments: ads (all of them candidates), slots_log2.
void score(benchmark::State& state) {
  const auto count = static_cast<std::size_t>(state.range(0));
  Bench bench(count, static_cast<unsigned>(state.range(1)));
  const auto scorer = *Scorer::bind(bench.learner.model(), bench.ads);
  std::vector<RequestFeatures> requests(64, RequestFeatures(bench.spec));
  for (std::uint64_t i = 0; i < requests.size(); ++i) fill(requests[i], 1'000'000 + i);
  Scorer::Scratch scratch;
  std::vector<std::uint32_t> candidates(count);
  std::iota(candidates.begin(), candidates.end(), 0U);
  std::vector<float> attraction(count);
  std::uint64_t i = 0;
  for (auto _ : state) {
    scorer->score(requests[i++ % requests.size()], candidates, attraction, scratch);
    benchmark::DoNotOptimize(attraction.data());
  }
}
BENCHMARK(score)->Args({200, 20})->Args({2'000, 20})->Args({2'000, 22})->Args({20'000, 22});

void choose(benchmark::State& state, Method method) {
  const auto count = static_cast<std::size_t>(state.range(0));
  SlateDraw draw({.method = method});
  std::vector<float> value(count), spread(count, 0.3F);
  for (std::size_t i = 0; i < count; ++i) value[i] = static_cast<float>(0.005 + 0.02 * unit(random_bits(3, i)));
  std::uint64_t seed = 0;
  for (auto _ : state) {
    draw.begin({.value = value, .spread = spread}, ++seed, 10'000);
    for (int position = 0; position < state.range(1); ++position) benchmark::DoNotOptimize(draw.next());
  }
}
BENCHMARK_CAPTURE(choose, squarecb, Method::squarecb)->Args({2'000, 1})->Args({2'000, 5});
BENCHMARK_CAPTURE(choose, thompson, Method::thompson)->Args({2'000, 1})->Args({2'000, 5});

void learn_one(benchmark::State& state) {
  Bench bench(2'000, static_cast<unsigned>(state.range(0)));
  std::uint64_t i = 0;
  for (auto _ : state) {
    const auto& impression = bench.impressions[i % bench.impressions.size()];
    benchmark::DoNotOptimize(bench.learner.learn(impression, random_bits(4, i) % 50 == 0));
    ++i;
  }
}
BENCHMARK(learn_one)->Arg(20)->Arg(22);

void make_version(benchmark::State& state) {
  Bench bench(2'000, static_cast<unsigned>(state.range(0)));
  for (auto _ : state) benchmark::DoNotOptimize(*Scorer::bind(bench.learner.model(), bench.ads));
}
BENCHMARK(make_version)->Arg(20)->Arg(22)->Unit(benchmark::kMillisecond);

void save_version(benchmark::State& state) {
  Bench bench(2'000, 20);
  std::size_t bytes = 0;
  for (auto _ : state) bytes = bench.learner.save().size();
  state.counters["bytes"] = static_cast<double>(bytes);
}
BENCHMARK(save_version)->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
