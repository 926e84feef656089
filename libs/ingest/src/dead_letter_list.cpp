#include "dead_letter_list.h"

#include <fmt/format.h>

#include <charconv>

#include "marquee/clickhouse/row_binary.h"

namespace marquee::ingest {
namespace {

constexpr std::size_t kPageBytes = std::size_t{8} << 20;
constexpr const char* kColumns =
    "source_topic, log_partition, log_offset, bytes_hash, toUnixTimestamp64Milli(received_time) AS time, reason, "
    "bytes, "
    "ifNull(toUnixTimestamp64Milli(replayed_time), -1) AS replayed";
constexpr const char* kOrder =
    "received_time DESC, source_topic DESC, log_partition DESC, log_offset DESC, bytes_hash DESC";

/// Conditions and the values of their parameters.
struct Where {
  std::string sql = "1";
  clickhouse::Parameters parameters;
  void add(std::string_view condition) { sql += fmt::format(" AND {}", condition); }
};

Where where(const LetterFilter& filter) {
  Where all;
  if (!filter.reason.empty()) {
    all.add("position(reason, {reason:String}) > 0");
    all.parameters["reason"] = clickhouse::escape_parameter(filter.reason);
  }
  if (filter.topic) {
    all.add("source_topic = {topic:String}");
    all.parameters["topic"] = clickhouse::escape_parameter(*filter.topic);
  }
  if (filter.since_ms) {
    all.add("received_time >= fromUnixTimestamp64Milli({since:Int64})");
    all.parameters["since"] = std::to_string(*filter.since_ms);
  }
  return all;
}

std::string cursor_of(const ListedLetter& last) {
  return fmt::format("{}/{}/{}/{}/{}", last.time_ms, last.letter.partition, last.letter.offset, last.bytes_hash,
                     last.letter.topic);
}

/// Conditions for what comes after the letter that the cursor names.
Result<void> add_cursor(Where& all, std::string_view cursor) {
  const auto wrong = Error::reject("after: expected `next` of an answer");
  for (const char* name : {"time", "partition", "offset", "hash"}) {
    const std::size_t slash = cursor.find('/');
    if (slash == std::string_view::npos) return wrong;
    const std::string_view text = cursor.substr(0, slash);
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size()) return wrong;
    all.parameters[fmt::format("after_{}", name)] = std::to_string(number);
    cursor.remove_prefix(slash + 1);
  }
  all.parameters["after_topic"] = clickhouse::escape_parameter(cursor);
  all.add(
      "(received_time, source_topic, log_partition, log_offset, bytes_hash) < "
      "(fromUnixTimestamp64Milli({after_time:Int64}), {after_topic:String}, {after_partition:UInt16}, "
      "{after_offset:UInt64}, {after_hash:UInt64})");
  return {};
}

Result<std::vector<ListedLetter>> parse(std::string_view body) {
  clickhouse::RowBinaryReader reader(body);
  std::vector<ListedLetter> letters;
  while (!reader.at_end()) {
    const auto topic = reader.text();
    const auto partition = reader.number<std::uint16_t>();
    const auto offset = reader.number<std::uint64_t>();
    const auto hash = reader.number<std::uint64_t>();
    const auto time = reader.number<std::int64_t>();
    const auto reason = reader.text();
    const auto bytes = reader.text();
    const auto replayed = reader.number<std::int64_t>();
    if (!topic || !partition || !offset || !hash || !time || !reason || !bytes || !replayed)
      return Error::retry("the store's answer was cut off");
    ListedLetter one;
    one.letter = {std::string(*topic), *partition, *offset, std::string(*reason), std::string(*bytes)};
    one.bytes_hash = *hash;
    one.time_ms = *time;
    if (*replayed >= 0) one.replayed_ms = *replayed;
    letters.push_back(std::move(one));
  }
  return letters;
}

clickhouse::QueryOptions as_rows() {
  clickhouse::QueryOptions options;
  options.format = "RowBinary";
  return options;
}

}  // namespace

Result<DeadLetterList::Page> DeadLetterList::page(const LetterFilter& filter, std::optional<bool> is_replayed,
                                                  const std::string& after, std::size_t limit) {
  Where all = where(filter);
  if (is_replayed) all.add(*is_replayed ? "replayed_time IS NOT NULL" : "replayed_time IS NULL");
  if (!after.empty()) {
    if (auto added = add_cursor(all, after); !added) return added.error();
  }
  Page page;
  if (limit == 0) return page;
  all.parameters["limit"] = std::to_string(limit);
  all.parameters["most"] = std::to_string(kPageBytes);
  const auto body = client_.query(
      fmt::format("SELECT source_topic, log_partition, log_offset, bytes_hash, time, reason, bytes, replayed FROM ("
                  "SELECT *, sum(length(bytes)) OVER (ORDER BY {1} ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) "
                  "- length(bytes) AS before FROM ("
                  "SELECT {0}, received_time FROM marquee.dead_letter_states WHERE {2} ORDER BY {1} "
                  "LIMIT {{limit:UInt64}})) WHERE before < {{most:UInt64}} ORDER BY {1}",
                  kColumns, kOrder, all.sql),
      all.parameters, as_rows());
  if (!body) return body.error();
  auto letters = parse(*body);
  if (!letters) return letters.error();
  page.letters = std::move(*letters);
  std::size_t bytes = 0;
  for (const auto& one : page.letters) bytes += one.letter.bytes.size();
  if (page.letters.size() == limit || bytes >= kPageBytes) page.next = cursor_of(page.letters.back());
  return page;
}

Result<void> DeadLetterList::count(const LetterFilter& filter, LetterPage& page) {
  const Where all = where(filter);
  const auto counts =
      client_.table("SELECT count(), countIf(replayed_time IS NULL) FROM marquee.dead_letter_states WHERE " + all.sql,
                    all.parameters);
  if (!counts) return counts.error();
  page.count = std::stoull(counts->rows.at(0).at(0));
  page.unreplayed = std::stoull(counts->rows.at(0).at(1));
  const auto reasons = client_.table(
      "SELECT splitByString(': ', reason)[1] AS kind, count() AS letters, countIf(replayed_time IS NULL), "
      "toUnixTimestamp64Milli(max(received_time)) FROM marquee.dead_letter_states WHERE " +
          all.sql + " GROUP BY kind ORDER BY letters DESC, kind LIMIT 100",
      all.parameters);
  if (!reasons) return reasons.error();
  for (const auto& row : reasons->rows) {
    page.by_reason.push_back({row.at(0), std::stoull(row.at(1)), std::stoull(row.at(2)), std::stoll(row.at(3))});
  }
  return {};
}

Result<std::vector<ListedLetter>> DeadLetterList::find(const std::string& topic, log::Partition partition,
                                                       const std::vector<log::Offset>& offsets) {
  const auto body =
      client_.query(fmt::format("SELECT {} FROM marquee.dead_letter_states WHERE source_topic = {{topic:String}} "
                                "AND log_partition = {{partition:UInt16}} AND log_offset IN {{offsets:Array(UInt64)}} "
                                "ORDER BY {} LIMIT 1 BY log_offset",
                                kColumns, kOrder),
                    {{"topic", clickhouse::escape_parameter(topic)},
                     {"partition", std::to_string(partition)},
                     {"offsets", fmt::format("[{}]", fmt::join(offsets, ","))}},
                    as_rows());
  if (!body) return body.error();
  return parse(*body);
}

}  // namespace marquee::ingest
