#include "feed_status.h"

#include <fmt/format.h>

#include <algorithm>

#include "feeds.h"
#include "marquee/base/time.h"
#include "marquee/feed/standing.h"
#include "parts.h"
#include "store_access.h"
#include "text_table.h"

namespace marquee::app {
namespace {

nlohmann::ordered_json feed_json(const feed::FeedStatus& feed) {
  std::uint64_t lag = 0;
  std::uint64_t events = 0;
  std::uint64_t dead_letters = 0;
  std::uint64_t ignored = 0;
  double rate = 0;
  std::string last_error;
  nlohmann::ordered_json partitions = nlohmann::ordered_json::array();
  for (const auto& one : feed.partitions) {
    lag += one.lag();
    events += one.events;
    dead_letters += one.dead_letters;
    ignored += one.ignored;
    rate += one.messages_per_second;
    if (last_error.empty()) last_error = one.last_error;
    partitions.push_back({{"partition", one.partition},
                          {"next", one.next},
                          {"end", one.end},
                          {"lag_messages", one.lag()},
                          {"messages_per_second", one.messages_per_second},
                          {"dead_letters", one.dead_letters},
                          {"last_error", one.last_error}});
  }
  return {{"name", feed.name},           {"topic", feed.topic},      {"lag_messages", lag},
          {"messages_per_second", rate}, {"events", events},         {"dead_letters", dead_letters},
          {"ignored", ignored},          {"last_error", last_error}, {"partitions", std::move(partitions)}};
}

std::string told_text(std::int64_t time_ms) {
  if (time_ms == 0) return "never";
  const auto since = SystemClock().now().time_since_epoch().count() - time_ms;
  return span_text(static_cast<double>(std::max<std::int64_t>(since, 0)) / 1'000) + " ago";
}

}  // namespace

nlohmann::ordered_json feeds_json(const std::vector<feed::FeedStatus>& feeds) {
  auto all = nlohmann::ordered_json::array();
  for (const auto& feed : feeds) all.push_back(feed_json(feed));
  return all;
}

Result<void> print_feeds_status(const App& app) {
  const auto feeds = load_feeds(app.settings());
  if (!feeds) return feeds.error();
  if (feeds->empty()) return {};
  const auto endpoint = store_endpoint(app);
  if (!endpoint) return endpoint.error();
  clickhouse::Client store(*endpoint);
  std::vector<Row> rows = {
      {"feed", "partition", "next", "end", "waiting", "messages/s", "dead", "ignored", "loader", "told"}};
  std::string errors;
  std::uint64_t lag = 0;
  for (const auto& described : *feeds) {
    const auto status =
        feed::read_standing(store, kafka_cluster(app.settings()), described, app.settings().kafka_group);
    if (!status) {
      errors += fmt::format("Feed {}: {}\n", described.name, status.error().message);
      continue;
    }
    for (const auto& one : status->partitions) {
      lag += one.lag();
      rows.push_back({status->name, fmt::to_string(one.partition), fmt::to_string(one.next), fmt::to_string(one.end),
                      fmt::to_string(one.lag()), fmt::format("{:.0f}", one.messages_per_second),
                      fmt::to_string(one.dead_letters), fmt::to_string(one.ignored),
                      one.loader.empty() ? "none" : one.loader, told_text(one.time_ms)});
      if (!one.last_error.empty())
        errors += fmt::format("Feed {}, partition {}, last error: {}\n", status->name, one.partition, one.last_error);
    }
  }
  fmt::print("\n");
  print_table(rows, "lrrrrrrrll");
  fmt::print("{} {}\n{}", lag, lag == 1 ? "message of feeds waits" : "messages of feeds wait", errors);
  return {};
}

}  // namespace marquee::app
