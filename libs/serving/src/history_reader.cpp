#include "history_reader.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <tuple>

#include "marquee/clickhouse/row_binary.h"
#include "marquee/serving/decision_server.h"

namespace marquee::serving {
namespace {

constexpr Millis kStretch = std::chrono::hours(1);
static_assert(kStretch > kImpressionLife + kClickLife);
constexpr std::int64_t kPatienceMs = 600'000;

/// By partition and offset: the time of each is then known from those before it, as in the log.
constexpr std::string_view kEvents =
    "SELECT site_id, toUInt8(event_type), external_id, toUnixTimestamp64Milli(event_time), "
    "toUnixTimestamp64Milli(received_time), decision_id, ad_id, slot_id, log_partition, log_offset "
    "FROM marquee.events WHERE event_time >= fromUnixTimestamp64Milli({from:Int64}) "
    "AND event_time < fromUnixTimestamp64Milli({to:Int64}) AND startsWith(external_id, 'served-') "
    "ORDER BY log_partition, log_offset";

constexpr std::string_view kNextDecision =
    "SELECT ifNull(minOrNull(toUnixTimestamp64Milli(decision_time)), {to:Int64}) FROM marquee.decisions "
    "WHERE decision_time >= fromUnixTimestamp64Milli({from:Int64}) "
    "AND decision_time < fromUnixTimestamp64Milli({to:Int64})";

std::string millis(WallTime time) { return std::to_string(time.time_since_epoch().count()); }

clickhouse::QueryOptions row_binary() { return {.format = "RowBinary", .timeout_ms = kPatienceMs}; }

}  // namespace

HistoryReader::HistoryReader(clickhouse::Client& store, WallTime from, WallTime to)
    : store_(store), next_(from), to_(to) {}

Result<std::optional<MergedLogs::Record>> HistoryReader::next() {
  while (decision_ == decisions_.size() && event_ == events_.size()) {
    if (is_in_gap_)
      if (auto passed = pass_gap(); !passed) return passed.error();
    if (next_ >= to_) return std::optional<MergedLogs::Record>();
    if (auto read = read_stretch(); !read) return read.error();
  }
  const bool is_decision =
      decision_ < decisions_.size() &&
      (event_ == events_.size() || decisions_[decision_].front().time_ms <= events_[event_].time_ms);
  if (is_decision) return std::optional<MergedLogs::Record>(std::move(decisions_[decision_++]));
  return std::optional<MergedLogs::Record>(events_[event_++].event);
}

Result<void> HistoryReader::read_stretch() {
  const auto from = next_;
  next_ = std::min(to_, from + kStretch);
  // Of the first impressions the decisions are older.
  if (auto read = read_decisions(has_begun_ ? from : from - kImpressionLife, next_); !read) return read;
  has_begun_ = true;
  if (auto read = read_events(from, next_); !read) return read;
  is_in_gap_ = decisions_.empty() && events_.empty();
  return {};
}

Result<void> HistoryReader::pass_gap() {
  const auto table = store_.table(kNextDecision, {{"from", millis(next_)}, {"to", millis(to_)}});
  if (!table) return table.error();
  std::int64_t time_ms = 0;
  const std::string& text = table->rows.at(0).at(0);
  std::from_chars(text.data(), text.data() + text.size(), time_ms);
  next_ = std::clamp(WallTime(Millis(time_ms)), next_, std::max(next_, to_));
  is_in_gap_ = false;
  return {};
}

Result<void> HistoryReader::read_decisions(WallTime from, WallTime to) {
  auto body = store_.query(select_decisions(), {{"from", millis(from)}, {"to", millis(to)}}, row_binary());
  if (!body) return body.error();
  decision_bytes_ = std::move(*body);
  decisions_.clear();
  decision_ = 0;
  auto rows = read_selected(decision_bytes_);
  if (!rows) return rows.error();
  for (auto& row : *rows) {
    if (decisions_.empty() || decisions_.back().front().decision_id != row.decision_id) decisions_.emplace_back();
    decisions_.back().push_back(std::move(row));
  }
  return {};
}

Result<void> HistoryReader::read_events(WallTime from, WallTime to) {
  auto body = store_.query(kEvents, {{"from", millis(from)}, {"to", millis(to)}}, row_binary());
  if (!body) return body.error();
  event_bytes_ = std::move(*body);
  events_.clear();
  event_ = 0;
  clickhouse::RowBinaryReader reader(event_bytes_);
  std::vector<std::tuple<std::int64_t, std::uint16_t, log::Offset, std::size_t>> order;
  while (!reader.at_end()) {
    Event one;
    const auto text = [&] { return reader.text().value_or(std::string_view()); };
    one.event.site_id = text();
    one.event.type = static_cast<event::Type>(reader.number<std::uint8_t>().value_or(0));
    one.event.external_id = text();
    one.event.event_time_ms = reader.number<std::int64_t>().value_or(0);
    one.event.received_time_ms = reader.number<std::int64_t>().value_or(0);
    one.event.decision_id = text();
    one.event.ad_id = text();
    one.event.slot_id = text();
    const auto partition = reader.number<std::uint16_t>().value_or(0);
    const auto offset = reader.number<log::Offset>();
    if (!offset) return Error::retry("the store's answer was cut off");
    latest_ms_.resize(std::max<std::size_t>(latest_ms_.size(), partition + 1U), 0);
    after_.resize(latest_ms_.size(), 0);
    auto& latest = latest_ms_[partition];
    latest = one.time_ms = std::max(latest, one.event.event_time_ms);
    after_[partition] = std::max(after_[partition], *offset + 1);
    order.emplace_back(one.time_ms, partition, *offset, events_.size());
    events_.push_back(one);
  }
  std::ranges::sort(order);
  std::vector<Event> sorted;
  sorted.reserve(order.size());
  for (const auto& one : order) sorted.push_back(events_[std::get<3>(one)]);
  events_ = std::move(sorted);
  return {};
}

}  // namespace marquee::serving
