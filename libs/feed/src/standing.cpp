#include "marquee/feed/standing.h"

#include <fmt/format.h>

#include "marquee/clickhouse/native_block.h"

namespace marquee::feed {
namespace {

constexpr std::int64_t kAtLeastEveryMs = 30'000;

bool is_same(const FeedStatus::Partition& a, const FeedStatus::Partition& b) {
  return a.events == b.events && a.dead_letters == b.dead_letters && a.ignored == b.ignored &&
         a.last_error == b.last_error && a.messages_per_second == b.messages_per_second;
}

std::uint64_t messages(const FeedStatus::Partition& one) { return one.events + one.dead_letters + one.ignored; }

}  // namespace

Result<void> write_standing(clickhouse::Client& store, const std::vector<FeedStatus>& feeds) {
  using clickhouse::NumberColumn;
  clickhouse::NativeBlock block;
  auto& feed = block.add<clickhouse::StringColumn>("feed", "String");
  auto& partition = block.add<NumberColumn<std::uint32_t>>("source_partition", "UInt32");
  auto& loader = block.add<clickhouse::StringColumn>("loader", "String");
  auto& time = block.add<NumberColumn<std::int64_t>>("time", "DateTime64(3, 'UTC')");
  auto& rate = block.add<NumberColumn<double>>("messages_per_second", "Float64");
  auto& events = block.add<NumberColumn<std::uint64_t>>("events", "UInt64");
  auto& dead_letters = block.add<NumberColumn<std::uint64_t>>("dead_letters", "UInt64");
  auto& ignored = block.add<NumberColumn<std::uint64_t>>("ignored", "UInt64");
  auto& last_error = block.add<clickhouse::StringColumn>("last_error", "String");
  for (const FeedStatus& status : feeds) {
    for (const auto& one : status.partitions) {
      feed.append(status.name);
      partition.append(one.partition);
      loader.append(one.loader);
      time.append(one.time_ms);
      rate.append(one.messages_per_second);
      events.append(one.events);
      dead_letters.append(one.dead_letters);
      ignored.append(one.ignored);
      last_error.append(one.last_error);
    }
  }
  std::string body;
  block.write(body);
  const auto written =
      store.insert(fmt::format("INSERT INTO marquee.feeds ({})", block.column_names()), "Native", body);
  if (!written) return written.error().error;
  return {};
}

Result<FeedStatus> read_standing(clickhouse::Client& store, const kafka::Cluster& cluster, const Description& feed,
                                 const std::string& group_prefix) {
  const auto relayed = kafka::relay_standings(cluster, feed.topic, group_of(group_prefix, feed.name));
  if (!relayed) return relayed.error();
  FeedStatus status{feed.name, feed.topic, {}};
  for (const auto& one : *relayed) {
    status.partitions.emplace_back();
    status.partitions.back().partition = one.partition;
    status.partitions.back().next = one.next;
    status.partitions.back().end = one.end;
  }
  const auto rows = store.table(
      "SELECT source_partition, loader, toUnixTimestamp64Milli(time), messages_per_second, events, dead_letters, "
      "ignored, "
      "last_error FROM marquee.feeds FINAL WHERE feed = {feed:String}",
      {{"feed", feed.name}}, {.settings = {}, .query_id = {}, .timeout_ms = 5'000});
  if (!rows) return status;
  for (const auto& row : rows->rows) {
    const auto p = static_cast<std::size_t>(std::stoul(row[0]));
    if (p >= status.partitions.size()) continue;  // Of a topic that had more.
    auto& one = status.partitions[p];
    one.loader = row[1];
    one.time_ms = std::stoll(row[2]);
    one.messages_per_second = std::stod(row[3]);
    one.events = std::stoull(row[4]);
    one.dead_letters = std::stoull(row[5]);
    one.ignored = std::stoull(row[6]);
    one.last_error = row[7];
  }
  return status;
}

Reporter::Reporter(clickhouse::Client& store, std::string loader, metrics::Registry& metrics)
    : store_(store),
      loader_(std::move(loader)),
      waiting_(
          prometheus::BuildGauge()
              .Name("marquee_feed_waiting_messages")
              .Help("Messages of a feed's partition that have become neither events nor dead letters, at its loader")
              .Register(metrics)) {}

void Reporter::measure(const std::vector<FeedStatus>& feeds) {
  std::map<Place, prometheus::Gauge*> gone;
  gone.swap(gauges_);
  for (const FeedStatus& feed : feeds) {
    for (const auto& one : feed.partitions) {
      const Place place{feed.name, one.partition};
      gauges_[place] = &waiting_.Add({{"feed", feed.name}, {"partition", std::to_string(one.partition)}});
      gauges_[place]->Set(static_cast<double>(one.lag()));
      gone.erase(place);
    }
  }
  for (const auto& [place, gauge] : gone) waiting_.Remove(gauge);  // Another's now.
}

std::vector<FeedStatus> Reporter::report(std::vector<FeedStatus> feeds) {
  measure(feeds);
  std::vector<FeedStatus> news;
  for (FeedStatus& feed : feeds) {
    FeedStatus changed{feed.name, feed.topic, {}};
    for (auto& one : feed.partitions) {
      one.loader = loader_;
      const auto before = told_.find({feed.name, one.partition});
      const bool is_new = before == told_.end() || messages(one) < messages(before->second);
      const auto passed = is_new ? 0 : one.time_ms - before->second.time_ms;
      if (passed > 0)
        one.messages_per_second =
            static_cast<double>(messages(one) - messages(before->second)) * 1'000 / static_cast<double>(passed);
      if (is_new || passed >= kAtLeastEveryMs || !is_same(one, before->second)) changed.partitions.push_back(one);
    }
    if (!changed.partitions.empty()) news.push_back(std::move(changed));
  }
  if (news.empty() || !write_standing(store_, news)) return feeds;
  for (FeedStatus& feed : news) {
    for (auto& one : feed.partitions) told_[{feed.name, one.partition}] = std::move(one);
  }
  return feeds;
}

}  // namespace marquee::feed
