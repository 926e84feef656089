// bench_simulate: events that one core writes as NDJSON into one buffer, at the students' own pace (few sessions open
// at once) and at 10,000 events per second of event_time (tens of thousands open).
#include <benchmark/benchmark.h>

#include "marquee/simulate/stream.h"

namespace {

using namespace marquee;

void write_events(benchmark::State& state) {
  simulate::StreamOptions options;
  options.events_per_second = static_cast<double>(state.range(0));
  auto stream = simulate::Stream::open(options);
  std::string ndjson;
  std::int64_t bytes = 0;
  for (auto _ : state) {
    stream->next(ndjson);
    if (ndjson.size() < (1 << 20)) continue;
    bytes += static_cast<std::int64_t>(ndjson.size());
    ndjson.clear();
  }
  state.SetItemsProcessed(state.iterations());
  state.SetBytesProcessed(bytes);
}
BENCHMARK(write_events)->Arg(0)->Arg(10'000);

}  // namespace

BENCHMARK_MAIN();
