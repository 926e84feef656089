#include "dead_letter_marks.h"

#include <fmt/format.h>

#include "marquee/base/time.h"
#include "marquee/clickhouse/native_block.h"
#include "marquee/clickhouse/row_binary.h"

namespace marquee::ingest {
namespace {

/// The letters of an attempt, as every query here names them.
constexpr const char* kLettersOfReplay =
    "(source_topic, log_partition, log_offset, bytes_hash) IN (SELECT source_topic, log_partition, log_offset, "
    "bytes_hash "
    "FROM marquee.dead_letter_replays WHERE replay = {replay:UInt64})";

std::optional<std::uint64_t> read_identity(clickhouse::RowBinaryReader& reader) {
  const auto site = reader.text();
  const auto session = reader.number<std::uint64_t>();
  const auto seq = reader.number<std::uint32_t>();
  const auto external = reader.text();
  if (!site || !session || !seq || !external) return std::nullopt;
  return event::identity(*site, *session, *seq, *external);
}

}  // namespace

Result<void> ReplayMarks::write(std::uint64_t replay, Outcome outcome, const std::vector<ReadableLetter>& letters) {
  if (letters.empty()) return {};
  clickhouse::NativeBlock block;
  auto& topic = block.add<clickhouse::StringColumn>("source_topic", "String");
  auto& partition = block.add<clickhouse::NumberColumn<std::uint16_t>>("log_partition", "UInt16");
  auto& offset = block.add<clickhouse::NumberColumn<std::uint64_t>>("log_offset", "UInt64");
  auto& hash = block.add<clickhouse::NumberColumn<std::uint64_t>>("bytes_hash", "UInt64");
  auto& time = block.add<clickhouse::NumberColumn<std::int64_t>>("time", "DateTime64(3, 'UTC')");
  auto& attempt = block.add<clickhouse::NumberColumn<std::uint64_t>>("replay", "UInt64");
  auto& what =
      block.add<clickhouse::NumberColumn<std::uint8_t>>("outcome", "Enum8('begun' = 1, 'sent' = 2, 'counted' = 3)");
  auto& mended = block.add<clickhouse::NumberColumn<std::uint8_t>>("is_mended", "Bool");
  auto& site = block.add<clickhouse::StringColumn>("site_id", "String");
  auto& session = block.add<clickhouse::NumberColumn<std::uint64_t>>("session_id", "UInt64");
  auto& seq = block.add<clickhouse::NumberColumn<std::uint32_t>>("seq", "UInt32");
  auto& external = block.add<clickhouse::StringColumn>("external_id", "String");
  const auto now = SystemClock().now().time_since_epoch().count();
  for (const ReadableLetter& one : letters) {
    const auto event = event::decode(one.record);
    if (!event) return event.error();
    topic.append(one.listed->letter.topic);
    partition.append(static_cast<std::uint16_t>(one.listed->letter.partition));
    offset.append(one.listed->letter.offset);
    hash.append(one.listed->bytes_hash);
    time.append(now);
    attempt.append(replay);
    what.append(static_cast<std::uint8_t>(outcome));
    mended.append(one.is_mended ? 1 : 0);
    site.append(event->site_id);
    session.append(event->session_id);
    seq.append(event->seq);
    external.append(event->external_id);
  }
  std::string body;
  block.write(body);
  const auto inserted =
      client_.insert(fmt::format("INSERT INTO marquee.dead_letter_replays ({})", block.column_names()), "Native", body,
                     {.settings = {{"async_insert", "0"}}, .query_id = {}});
  if (!inserted) return inserted.error().error;
  return {};
}

Result<std::multimap<ReplayMarks::Key, std::uint64_t>> ReplayMarks::begun_before(std::uint64_t replay) {
  clickhouse::QueryOptions options;
  options.format = "RowBinary";
  const auto body = client_.query(
      fmt::format(
          "SELECT DISTINCT source_topic, log_partition, log_offset, bytes_hash, site_id, session_id, seq, external_id "
          "FROM marquee.dead_letter_replays WHERE outcome = 'begun' AND replay != {{replay:UInt64}} AND {}",
          kLettersOfReplay),
      {{"replay", std::to_string(replay)}}, options);
  if (!body) return body.error();
  std::multimap<Key, std::uint64_t> begun;
  clickhouse::RowBinaryReader reader(*body);
  while (!reader.at_end()) {
    const auto topic = reader.text();
    const auto partition = reader.number<std::uint16_t>();
    const auto offset = reader.number<std::uint64_t>();
    const auto hash = reader.number<std::uint64_t>();
    const auto identity = read_identity(reader);
    if (!topic || !partition || !offset || !hash || !identity) return Error::retry("the store's answer was cut off");
    begun.emplace(Key{*topic, *partition, *offset, *hash}, *identity);
  }
  return begun;
}

Result<std::set<std::uint64_t>> ReplayMarks::landed(std::uint64_t replay) {
  const auto begun = [](std::string_view columns) {
    return fmt::format("SELECT {} FROM marquee.dead_letter_replays WHERE outcome = 'begun' AND {}", columns,
                       kLettersOfReplay);
  };
  clickhouse::QueryOptions options;
  options.format = "RowBinary";
  options.timeout_ms = 0;
  const auto body = client_.query(
      fmt::format("SELECT DISTINCT site_id, session_id, seq, external_id FROM marquee.events WHERE site_id IN ({}) "
                  "AND (session_id, seq, external_id) IN ({})",
                  begun("site_id"), begun("session_id, seq, external_id")),
      {{"replay", std::to_string(replay)}}, options);
  if (!body) return body.error();
  std::set<std::uint64_t> identities;
  clickhouse::RowBinaryReader reader(*body);
  while (!reader.at_end()) {
    const auto identity = read_identity(reader);
    if (!identity) return Error::retry("the store's answer was cut off");
    identities.insert(*identity);
  }
  return identities;
}

}  // namespace marquee::ingest
