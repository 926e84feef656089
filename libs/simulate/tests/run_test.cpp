#include "marquee/simulate/run.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <set>

#include "marquee/http/client.h"
#include "private_store.h"

namespace marquee::simulate {
namespace {

Stream opened_run(const StreamOptions& options = {}) {
  auto stream = Stream::open(options);
  EXPECT_TRUE(stream) << stream.error().message;
  return std::move(*stream);
}

std::string content(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

class Run : public testing::Test {
 protected:
  void SetUp() override {
    directory_ = testing::TempDir() + "simulate-" + std::to_string(::getpid());
    std::filesystem::create_directories(directory_);
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  Summary write(Stream& stream, const RunOptions& options) {
    const int descriptor = ::open(path().c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    auto summary = write_ndjson(stream, descriptor, options);
    ::close(descriptor);
    return summary;
  }
  [[nodiscard]] std::string path() const { return directory_ + "/events.ndjson"; }

  std::string directory_;
};

TEST_F(Run, writes_the_lines_of_the_stream_up_to_a_number) {
  auto stream = opened_run();
  RunOptions options;
  options.events = 10'000;
  const auto summary = write(stream, options);
  EXPECT_FALSE(summary.failure);
  EXPECT_EQ(summary.events, 10'000U);
  auto same = opened_run();
  std::string expected;
  for (int i = 0; i < 10'000; ++i) same.next(expected);
  EXPECT_EQ(content(path()), expected);
  EXPECT_EQ(summary.bytes, expected.size());
}

TEST_F(Run, writes_up_to_a_time_of_the_stream) {
  StreamOptions stream_options;
  auto stream = opened_run(stream_options);
  RunOptions options;
  options.start_ms = stream_options.start_ms;
  options.duration_ms = 3'600'000;
  const auto summary = write(stream, options);
  auto same = opened_run(stream_options);
  std::uint64_t expected = 0;
  for (std::string line; same.next(line).time_ms < options.start_ms + options.duration_ms; line.clear()) ++expected;
  EXPECT_EQ(summary.events, expected);
}

TEST_F(Run, ends_in_order_when_it_is_stopped) {
  auto stream = opened_run();
  std::atomic<bool> stop{false};
  RunOptions options;
  options.stop = &stop;
  options.on_progress = [&](const Summary&) { stop = true; };
  const auto summary = write(stream, options);
  EXPECT_FALSE(summary.failure);
  const auto text = content(path());
  EXPECT_EQ(text.size(), summary.bytes);
  EXPECT_TRUE(text.ends_with("}\n"));
}

TEST_F(Run, takes_a_reader_that_goes_away_as_the_end) {
  std::signal(SIGPIPE, SIG_IGN);
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe(ends.data()), 0);
  ::close(ends[0]);
  auto stream = opened_run();
  EXPECT_FALSE(write_ndjson(stream, ends[1], {}).failure);
  ::close(ends[1]);
}

TEST_F(Run, names_a_disk_that_is_full) {
  const int full = ::open("/dev/full", O_WRONLY | O_CLOEXEC);
  if (full < 0) GTEST_SKIP() << "no /dev/full here";
  auto stream = opened_run();
  RunOptions options;
  options.events = 10;
  const auto summary = write_ndjson(stream, full, options);
  ::close(full);
  ASSERT_TRUE(summary.failure);
  EXPECT_NE(summary.failure->message.find("No space left"), std::string::npos) << summary.failure->message;
}

// Stands in for the server: takes every line but those that begin with an unquoted type.
SendTarget target_of(std::function<std::expected<http::Response, http::Failure>(std::string_view)> answer) {
  SendTarget target;
  target.send.encoding = "";
  target.send.first_pause_ms = 1;
  target.send.post = [answer](const http::Headers&, std::string_view body) { return answer(body); };
  return target;
}

http::Response taken(std::string_view body) {
  const auto lines = std::count(body.begin(), body.end(), '\n');
  return http::Response::json(200, "{\"accepted\":" + std::to_string(lines) + ",\"rejected\":[]}");
}

TEST_F(Run, sends_every_event_and_counts_the_answers) {
  std::mutex mutex;
  std::string received;
  const auto target = target_of([&](std::string_view body) {
    const std::lock_guard lock(mutex);
    received += body;
    return taken(body);
  });
  auto stream = opened_run();
  RunOptions options;
  options.events = 12'345;
  const auto summary = send(stream, target, options);
  EXPECT_FALSE(summary.failure);
  EXPECT_EQ(summary.events, 12'345U);
  EXPECT_EQ(summary.accepted, 12'345U);
  EXPECT_EQ(summary.rejected, 0U);
  EXPECT_EQ(received.size(), summary.bytes);
}

TEST_F(Run, counts_rejections_by_field) {
  const auto target = target_of([](std::string_view) {
    return http::Response::json(
        200,
        R"({"accepted":8,"rejected":[{"index":1,"field":"type","reason":"x"},{"index":3,"field":"","reason":"y"}]})");
  });
  auto stream = opened_run();
  RunOptions options;
  options.events = 10;
  const auto summary = send(stream, target, options);
  EXPECT_EQ(summary.accepted, 8U);
  EXPECT_EQ(summary.rejected, 2U);
  EXPECT_EQ(summary.rejected_fields.at("type"), 1U);
  EXPECT_EQ(summary.rejected_fields.at(""), 1U);
}

TEST_F(Run, keeps_the_rate) {
  auto target = target_of([](std::string_view body) { return taken(body); });
  target.rate = 2'000;
  auto stream = opened_run();
  RunOptions options;
  options.events = 1'000;
  const auto summary = send(stream, target, options);
  EXPECT_GE(summary.seconds, 0.49);
  EXPECT_LT(summary.seconds, 5);
}

TEST_F(Run, ends_after_the_duration) {
  auto target = target_of([](std::string_view body) { return taken(body); });
  target.rate = 100;
  auto stream = opened_run();
  RunOptions options;
  options.duration_ms = 300;
  const auto summary = send(stream, target, options);
  EXPECT_LE(summary.events, 30U);
  EXPECT_GE(summary.events, 1U);
  EXPECT_EQ(summary.accepted, summary.events);
}

TEST_F(Run, does_not_wait_for_a_server_that_is_away_once_stopped) {
  std::atomic<bool> stop{false};
  const auto target = target_of([&](std::string_view) -> std::expected<http::Response, http::Failure> {
    stop = true;
    return std::unexpected(http::Failure{http::Delivery::not_sent, false, "connection refused"});
  });
  auto stream = opened_run();
  RunOptions options;
  options.stop = &stop;
  const auto summary = send(stream, target, options);
  EXPECT_FALSE(summary.failure);
  EXPECT_GT(summary.events, 0U);
  EXPECT_EQ(summary.accepted, 0U);
}

TEST_F(Run, names_a_key_that_is_refused) {
  const auto target =
      target_of([](std::string_view) { return http::Response::json(401, R"({"error":"no such key"})"); });
  auto stream = opened_run();
  const auto summary = send(stream, target, {});
  ASSERT_TRUE(summary.failure);
  EXPECT_EQ(summary.failure->action, Action::reject);
}

TEST_F(Run, refuses_parquet_without_an_end_or_a_store) {
  auto stream = opened_run();
  const auto endless = write_parquet(stream, directory_ + "/a.parquet", "/nowhere/marquee-store", {});
  ASSERT_FALSE(endless);
  EXPECT_EQ(endless.error().action, Action::reject);
  RunOptions options;
  options.events = 10;
  const auto without = write_parquet(stream, directory_ + "/a.parquet", "/nowhere/marquee-store", options);
  ASSERT_FALSE(without);
  EXPECT_NE(without.error().message.find("/nowhere/marquee-store"), std::string::npos);
}

std::string store_binary() {
  if (const char* binary = std::getenv("MARQUEE_STORE_BIN"); binary != nullptr) return binary;
  return (std::filesystem::read_symlink("/proc/self/exe").parent_path() / "marquee-store").string();
}

TEST_F(Run, writes_parquet_that_holds_the_rows_of_the_stream_in_order) {
  if (::access(store_binary().c_str(), X_OK) != 0) GTEST_SKIP() << "marquee-store is not built";
  auto stream = opened_run();
  RunOptions options;
  options.events = 30'000;
  const auto file = directory_ + "/events.parquet";
  const auto summary = write_parquet(stream, file, store_binary(), options);
  ASSERT_TRUE(summary) << summary.error().message;
  EXPECT_EQ(summary->events, 30'000U);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(directory_), {}), 1)
      << "something is left beside the file";

  auto store = PrivateStore::start(store_binary(), directory_ + "/reader");
  ASSERT_TRUE(store) << store.error().message;
  ASSERT_TRUE((*store)->run(
      "CREATE TABLE default.back (type String, event_time DateTime64(3, 'UTC'), session_id String, seq UInt32, "
      "campaign_id Nullable(String), propensity Nullable(Float64)) ENGINE = Log"));
  const auto inserted = (*store)->run("INSERT INTO default.back FORMAT Parquet", content(file));
  ASSERT_TRUE(inserted) << inserted.error().message;
  std::string back;
  ASSERT_TRUE((*store)->read(
      "SELECT type, seq, toUnixTimestamp64Milli(event_time), session_id, ifNull(campaign_id, '') FROM default.back "
      "SETTINGS max_threads = 1 FORMAT CSV",
      [&](std::string_view data) { return back.append(data), true; }));
  auto same = opened_run();
  std::string expected;
  for (int i = 0; i < 30'000; ++i) {
    std::string line;
    same.next(line);
    const auto field = [&](const std::string& name) {
      const auto at = line.find('"' + name + "\":");
      if (at == std::string::npos) return std::string("\"\"");
      const auto from = at + name.size() + 3;
      return line.substr(from, line.find_first_of(",}", from) - from);
    };
    expected += field("type") + ',' + field("seq") + ',' + field("event_time") + ',' + field("session_id") + ',' +
                field("campaign_id") + '\n';
  }
  EXPECT_EQ(back, expected);
}

}  // namespace
}  // namespace marquee::simulate
