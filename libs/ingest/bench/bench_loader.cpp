// bench_loader [rows] [marquee-store]: rows that the loader lands per CPU second, the store's share included, beside
// ClickHouse's own INSERT ... FORMAT JSONEachRow of the same rows into the same tables of the same engine.
#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <iostream>
#include <random>
#include <sstream>

#include "../../clickhouse/tests/store_process.cpp"  // A benchmark is built from one file.
#include "../tests/loader_test_events.h"
#include "marquee/clickhouse/migrations.h"
#include "marquee/ingest/loader.h"
#include "marquee/log/memory_log.h"

namespace {

using namespace marquee;

constexpr log::Partition kPartitions = 4;

/// User and system time of a process, its threads included.
double cpu_seconds(pid_t pid) {
  std::ifstream file(fmt::format("/proc/{}/stat", pid));
  std::string text((std::istreambuf_iterator<char>(file)), {});
  std::istringstream fields(text.substr(text.rfind(')') + 2));
  std::string skipped;
  for (int i = 0; i < 11; ++i) fields >> skipped;
  double user = 0;
  double system = 0;
  fields >> user >> system;
  return (user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

struct Cost {
  double wall = 0, own = 0, store = 0;
  [[nodiscard]] double cpu() const { return own + store; }
};

template <class Work>
Cost measure(pid_t store, Work&& work) {
  const auto began = std::chrono::steady_clock::now();
  const double own = cpu_seconds(::getpid());
  const double theirs = cpu_seconds(store);
  work();
  return {std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count(),
          cpu_seconds(::getpid()) - own, cpu_seconds(store) - theirs};
}

/// Pages of many sessions at once, as a site's events arrive: attributes of the user, then the page's ads.
void fill_log(log::EventLog& log, std::size_t rows) {
  std::mt19937_64 random(7);
  std::vector<std::vector<std::string>> records(kPartitions);
  const auto name = [&](const char* prefix, std::uint64_t n) { return fmt::format("{}-{:03}", prefix, n); };
  std::int64_t now = ingest::testing::kNewYear;
  for (std::size_t made = 0; made < rows;) {
    const std::uint64_t user = random() % 20'000;
    const std::string college = name("college", user % 60), program = name("program", user % 8);
    const std::string city = name("city", user % 40), page = name("page", random() % 20);
    const std::string path = fmt::format("/course/{}", random() % 3'000);
    const std::uint64_t session = user * 1'000 + static_cast<std::uint64_t>(now / 3'600'000);
    for (std::uint32_t i = 0; i < 6 && made < rows; ++i, ++made) {
      now += static_cast<std::int64_t>(random() % 40);
      auto event = ingest::testing::make_event(session, static_cast<std::uint32_t>(made + 1), now);
      const std::string ad = name("ad", random() % 200), decision = fmt::format("{:016x}", random());
      event.user_key = user + 1;
      event.type = i == 0 ? event::Type::page_view : i == 5 ? event::Type::page_leave : event::Type::impression;
      event.college_id = college;
      event.program = program;
      event.city = city;
      event.device = user % 3 == 0 ? "desktop" : "mobile";
      event.os = user % 3 == 0 ? "windows" : "android";
      event.browser = "chrome";
      event.page_id = page;
      event.page_path = path;
      event.slot_id = i == 0 || i == 5 ? "" : "hero";
      event.campaign_id = i == 0 || i == 5 ? std::string_view() : std::string_view(ad).substr(0, 5);
      event.ad_id = i == 0 || i == 5 ? std::string_view() : std::string_view(ad);
      event.decision_id = i == 0 || i == 5 ? std::string_view() : std::string_view(decision);
      records[user % kPartitions].push_back(ingest::testing::encoded(event));
    }
    for (log::Partition p = 0; p < kPartitions; ++p) {
      if (records[p].size() < 10'000 && made < rows) continue;
      ingest::testing::append(log, p, records[p]);
      records[p].clear();
    }
  }
}

template <class T>
T value_or_exit(Result<T> result) {
  if (result) return std::move(*result);
  std::cerr << result.error().message << '\n';
  std::exit(1);
}

void print(const char* name, std::size_t rows, const Cost& cost) {
  fmt::print("{:<10} {:>9.0f} rows per CPU second  ({:.2f} s CPU: {:.2f} own, {:.2f} store; {:.2f} s wall)\n", name,
             static_cast<double>(rows) / cost.cpu(), cost.cpu(), cost.own, cost.store, cost.wall);
}

}  // namespace

int main(int argc, char** argv) {
  const std::size_t rows = argc > 1 ? std::stoul(argv[1]) : 1'000'000;
  if (argc > 2) ::setenv("MARQUEE_STORE_BIN", argv[2], 1);
  if (clickhouse::testing::store_binary().empty()) {
    std::cerr << clickhouse::testing::why_no_store() << '\n';
    return 1;
  }
  clickhouse::testing::StoreProcess store;
  clickhouse::Endpoint endpoint;
  endpoint.url = store.url();
  clickhouse::Client client(endpoint);
  (void)value_or_exit(clickhouse::migrate_up(client, clickhouse::built_in_migrations()));
  auto log = log::open_memory_log(kPartitions);
  fill_log(*log, rows);

  ingest::LoaderOptions options;
  ingest::Loader loader(options, *log, client);
  const Cost ours = measure(store.pid(), [&] {
    loader.start();
    (void)ingest::testing::eventually([&] { return loader.status().events_landed >= rows; }, std::chrono::seconds(600));
    loader.stop();
  });

  std::vector<std::string> bodies;
  clickhouse::QueryOptions json;
  json.format = "JSONEachRow";
  json.timeout_ms = 0;
  for (log::Partition p = 0; p < kPartitions; ++p) {
    for (log::Offset begin = 0; begin < log->end(p); begin += options.max_batch_rows) {
      bodies.push_back(value_or_exit(client.query(
          "SELECT * REPLACE (if(toString(props) = '{}', '', toString(props)) AS props) FROM marquee.events "
          "WHERE log_partition = {p:UInt16} AND log_offset >= {b:UInt64} AND log_offset < {e:UInt64} ORDER BY "
          "log_offset",
          {{"p", std::to_string(p)},
           {"b", std::to_string(begin)},
           {"e", std::to_string(begin + options.max_batch_rows)}},
          json)));
    }
  }
  for (const char* table :
       {"events", "campaign_minute", "campaign_hour", "delivery_sums", "heatmap_cells", "user_days", "user_features"}) {
    (void)value_or_exit(client.query(fmt::format("TRUNCATE TABLE marquee.{}", table)));
  }
  clickhouse::QueryOptions whole;
  whole.settings["max_partitions_per_insert_block"] = "0";
  const Cost theirs = measure(store.pid(), [&] {
    for (const auto& body : bodies) {
      if (const auto done = client.insert("INSERT INTO marquee.events_in", "JSONEachRow", body, whole); !done) {
        std::cerr << done.error().error.message << '\n';
        std::exit(1);
      }
    }
  });
  print("loader", rows, ours);
  print("JSON", rows, theirs);
  fmt::print("FIGURE loader_rows_per_cpu_s {:.0f} rows/s >=150000\n", static_cast<double>(rows) / ours.cpu());
  fmt::print("FIGURE loader_vs_json_insert {:.2f} ratio >=2\n", theirs.cpu() / ours.cpu());
  return 0;
}
