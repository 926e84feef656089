#include "dead_letter_store.h"

#include <fmt/format.h>
#include <simdjson.h>
#include <xxhash.h>

#include "marquee/base/time.h"
#include "marquee/clickhouse/native_block.h"
#include "marquee/clickhouse/row_binary.h"

namespace marquee::ingest {
namespace {

constexpr std::size_t kLongestReason = 500;
constexpr const char* kReceivedType = "DateTime64(3, 'UTC')";

/// The store's own words may be long and hold the record's bytes.
std::string readable(std::string_view reason) {
  std::string text(reason.substr(0, kLongestReason));
  while (!text.empty() && !simdjson::validate_utf8(text)) text.pop_back();
  return text;
}

}  // namespace

std::uint64_t bytes_hash(std::string_view bytes) { return XXH3_64bits(bytes.data(), bytes.size()); }

Result<void> DeadLetterStore::insert(const std::vector<DeadLetter>& letters) {
  clickhouse::NativeBlock block;
  auto& topics = block.add<clickhouse::StringColumn>("source_topic", "String");
  auto& partitions = block.add<clickhouse::NumberColumn<std::uint16_t>>("log_partition", "UInt16");
  auto& offsets = block.add<clickhouse::NumberColumn<std::uint64_t>>("log_offset", "UInt64");
  auto& hashes = block.add<clickhouse::NumberColumn<std::uint64_t>>("bytes_hash", "UInt64");
  auto& reasons = block.add<clickhouse::StringColumn>("reason", "String");
  auto& bytes = block.add<clickhouse::StringColumn>("bytes", "String");
  auto& times = block.add<clickhouse::NumberColumn<std::int64_t>>("received_time", kReceivedType);
  const auto now = SystemClock().now().time_since_epoch().count();
  for (const DeadLetter& letter : letters) {
    topics.append(letter.topic);
    partitions.append(static_cast<std::uint16_t>(letter.partition));
    offsets.append(letter.offset);
    hashes.append(bytes_hash(letter.bytes));
    reasons.append(readable(letter.reason));
    bytes.append(letter.bytes);
    times.append(now);
  }
  std::string body;
  block.write(body);
  const auto inserted = client_.insert(fmt::format("INSERT INTO marquee.dead_letters ({})", block.column_names()),
                                       "Native", body, {.settings = {{"async_insert", "0"}}, .query_id = {}});
  if (!inserted) return inserted.error().error;
  return {};
}

Result<KnownLetters> DeadLetterStore::letters(const std::string& topic, log::Partition partition, log::Range range) {
  clickhouse::QueryOptions options;
  options.format = "RowBinary";
  options.timeout_ms = 0;
  const auto body = client_.query(
      "SELECT log_offset, bytes_hash, reason FROM marquee.dead_letters FINAL WHERE log_partition = {p:UInt16} "
      "AND log_offset >= {begin:UInt64} AND log_offset < {end:UInt64} AND source_topic = {topic:String}",
      {{"p", std::to_string(partition)},
       {"begin", std::to_string(range.begin)},
       {"end", std::to_string(range.end)},
       {"topic", clickhouse::escape_parameter(topic)}},
      options);
  if (!body) return body.error();
  KnownLetters known;
  clickhouse::RowBinaryReader reader(*body);
  while (!reader.at_end()) {
    const auto offset = reader.number<std::uint64_t>();
    const auto hash = reader.number<std::uint64_t>();
    const auto reason = reader.text();
    if (!offset || !hash || !reason) return Error::retry("the store's answer was cut off");
    known.emplace(*offset, KnownLetter{*hash, std::string(*reason)});
  }
  return known;
}

Result<void> write_dead_letters(clickhouse::Client& store, const std::vector<DeadLetter>& letters) {
  return DeadLetterStore(store).insert(letters);
}

}  // namespace marquee::ingest
