// A loader over a real store, for tests.
#pragma once

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "../../clickhouse/tests/store_process.h"
#include "loader_test_events.h"
#include "marquee/clickhouse/migrations.h"
#include "marquee/ingest/loader.h"
#include "marquee/ingest/rollup.h"
#include "marquee/log/memory_log.h"

namespace marquee::ingest::testing {

/// The first row of the answer, or why there is none.
[[nodiscard]] inline std::string ask(clickhouse::Client& client, const std::string& sql) {
  const auto table = client.table(sql);
  return table ? fmt::format("{}", fmt::join(table->rows.at(0), " ")) : table.error().message;
}

/// So many events, each once, and every rollup as the events count it.
inline void expect_in_the_store(clickhouse::Client& client, std::size_t count) {
  EXPECT_EQ(ask(client, "SELECT count(), uniqExact(session_id, seq) FROM marquee.events"),
            fmt::format("{0} {0}", count));
  const auto differences = rollup_differences(client);
  ASSERT_TRUE(differences) << differences.error().message;
  EXPECT_TRUE(differences->empty()) << fmt::format("{}", fmt::join(*differences, "\n"));
}

class LoaderInTheStore : public ::testing::Test {
 protected:
  void SetUp() override {
    if (clickhouse::testing::store_binary().empty()) GTEST_SKIP() << clickhouse::testing::why_no_store();
    store = std::make_unique<clickhouse::testing::StoreProcess>();
    clickhouse::Endpoint endpoint;
    endpoint.url = store->url();
    client = std::make_unique<clickhouse::Client>(endpoint);
    const auto applied = clickhouse::migrate_up(*client, clickhouse::built_in_migrations());
    ASSERT_TRUE(applied) << applied.error().message;
    log = log::open_memory_log(3);
    options.linger_ms = 5;
  }
  void TearDown() override { loader.reset(); }
  void start() {
    loader = std::make_unique<Loader>(options, *log, *client);
    loader->start();
  }
  [[nodiscard]] bool is_all_confirmed() { return testing::is_all_confirmed(*log); }
  [[nodiscard]] std::string ask(const std::string& sql) { return testing::ask(*client, sql); }
  void expect_landed_exactly(std::size_t count) {
    ASSERT_TRUE(eventually([this] { return is_all_confirmed(); }, std::chrono::seconds(120)))
        << loader->status().last_error;
    expect_in_the_store(*client, count);
  }
  void add_many(std::uint64_t session, std::uint32_t first, std::uint32_t count, std::int64_t step_ms) {
    std::vector<std::string> records;
    for (std::uint32_t i = first; i < first + count; ++i) {
      records.push_back(encoded(make_event(session, i, kNewYear + i * step_ms)));
    }
    append(*log, static_cast<log::Partition>(session % 3), records);
  }

  std::unique_ptr<clickhouse::testing::StoreProcess> store;
  std::unique_ptr<clickhouse::Client> client;
  std::unique_ptr<log::EventLog> log;
  LoaderOptions options;
  std::unique_ptr<Loader> loader;
};

}  // namespace marquee::ingest::testing
