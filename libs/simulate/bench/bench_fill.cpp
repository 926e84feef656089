// bench_fill EVENTS DAYS START_MS STUDENTS DIRECTORY: a simulated month into a running store, by the loader. Goes on
// where an earlier run in DIRECTORY was killed. The store is MARQUEE_STORE_URL, with MARQUEE_STORE_USER and
// MARQUEE_STORE_PASSWORD. Prints a line a second, "LANDED events recoveries" (of all runs; of this one), and a last one
// when all has landed. bench/billion runs it.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>

#include "marquee/ingest/loader.h"
#include "marquee/simulate/simulated_log.h"

namespace {

using namespace marquee;

constexpr std::uint32_t kPartitions = 4;

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

ingest::LoaderOptions loader_options(std::uint64_t events) {
  ingest::LoaderOptions options;
  // Large parts are merged less often, and summed up for the rollups at less cost. A small month has some batches, too,
  // so that it can be cut off in the middle.
  options.max_batch_rows = std::clamp<std::size_t>(events / kPartitions / 8, 1'000, 250'000);
  options.max_batch_bytes = 128 << 20;
  options.inserters = 2;
  options.report_ms = 0;  // The pipeline that people look at is that of `marquee serve`.
  return options;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 6) {
    fmt::print(stderr, "usage: bench_fill EVENTS DAYS START_MS STUDENTS DIRECTORY\n");
    return 2;
  }
  simulate::SimulatedLogOptions options;
  options.events = std::stoull(argv[1]);
  options.days = std::stoll(argv[2]);
  options.start_ms = std::stoll(argv[3]);
  options.students = static_cast<std::uint32_t>(std::stoul(argv[4]));
  options.directory = argv[5];
  options.partitions = kPartitions;
  options.site_id = "campus";
  auto log = simulate::open_simulated_log(options);
  if (!log) {
    fmt::print(stderr, "bench_fill: {}\n", log.error().message);
    return 1;
  }
  clickhouse::Endpoint endpoint;
  endpoint.url = variable("MARQUEE_STORE_URL");
  endpoint.user = variable("MARQUEE_STORE_USER");
  endpoint.password = variable("MARQUEE_STORE_PASSWORD");
  clickhouse::Client store(endpoint);
  ingest::Loader loader(loader_options(options.events), **log, store);
  loader.start();
  for (std::uint64_t confirmed = 0; confirmed < options.events;) {
    std::this_thread::sleep_for(std::chrono::seconds(1));
    const auto standings = (*log)->standings();
    confirmed = 0;
    for (const auto& standing : *standings) confirmed += standing.landed;
    const auto status = loader.status();
    if (!status.last_error.empty()) fmt::print(stderr, "bench_fill: {}\n", status.last_error);
    fmt::print("LANDED {} {}\n", confirmed, status.recoveries);
    std::fflush(stdout);
  }
  loader.stop();
  return 0;
}
