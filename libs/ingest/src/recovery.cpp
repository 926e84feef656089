#include "recovery.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "marquee/base/logging.h"
#include "marquee/ingest/rollup.h"

namespace marquee::ingest {
namespace {

constexpr std::size_t kRecoveryBytes = 8 * 1024 * 1024;
constexpr Millis kGivenWithin{5'000};

/// Records from `begin` up to `end`, a piece at a time.
template <class Take>
Result<void> for_each_record(log::EventLog& log, log::Partition partition, log::Offset begin, log::Offset end,
                             Take&& take) {
  while (begin < end) {
    const auto records = read_known(log, partition, begin, end - begin);
    if (!records) return records.error();
    for (std::size_t i = 0; i < records->records.size() && records->first + i < end; ++i) {  // It may begin beyond.
      take(records->first + i, records->records[i]);
    }
    begin = records->first + records->records.size();
  }
  return {};
}

}  // namespace

bool is_about_content(const clickhouse::InsertFailure& failure) {
  constexpr std::array codes = {
      6,    // CANNOT_PARSE_TEXT
      25,   // CANNOT_PARSE_ESCAPE_SEQUENCE
      26,   // CANNOT_PARSE_QUOTED_STRING
      27,   // CANNOT_PARSE_INPUT_ASSERTION_FAILED
      36,   // BAD_ARGUMENTS
      69,   // ARGUMENT_OUT_OF_BOUND
      70,   // CANNOT_CONVERT_TYPE
      72,   // CANNOT_PARSE_NUMBER
      117,  // INCORRECT_DATA
      131,  // TOO_LARGE_STRING_SIZE
      306,  // TOO_DEEP_RECURSION
      321,  // VALUE_IS_OUT_OF_RANGE_OF_DATA_TYPE
      407,  // DECIMAL_OVERFLOW
      469,  // VIOLATED_CONSTRAINT
      691,  // UNKNOWN_ELEMENT_OF_ENUM
  };
  return failure.error.action == Action::reject && std::ranges::find(codes, failure.code) != codes.end();
}

std::vector<Row> missing_rows(std::span<const Row> rows, const std::vector<Row>& landed) {
  std::vector<Row> missing;
  auto have = landed.begin();
  for (const Row& row : rows) {
    while (have != landed.end() && have->offset < row.offset) ++have;
    auto same = have;
    while (same != landed.end() && same->offset == row.offset && *same != row) ++same;
    if (same == landed.end() || *same != row) missing.push_back(row);
  }
  return missing;
}

Result<std::vector<RefusedRow>> Recovery::complete_events(const LoadBatch& batch, std::uint64_t loader) {
  if (auto settled = store_.settled(batch.partition()); !settled) return settled.error();
  std::vector<Row> rows = batch.rows();
  std::erase_if(rows, [&](const Row& row) { return batch.refused().contains(row.offset); });
  Refused refused;
  if (rows.empty()) return refused;
  auto completed = complete(batch.partition(), rows.data(), rows.data() + rows.size(), loader, refused);
  if (!completed) return completed.error();
  return refused;
}

Result<std::vector<Row>> Recovery::missing(log::Partition partition, const Row* begin, const Row* end) {
  const auto landed = store_.landed(partition, {begin->offset, (end - 1)->offset + 1});
  if (!landed) return landed.error();
  return missing_rows({begin, end}, *landed);
}

Result<std::string> Recovery::block_of(log::Partition partition, const std::vector<Row>& rows, std::uint64_t loader,
                                       std::string& columns) {
  EventBlock block;
  auto next = rows.begin();
  auto read = for_each_record(log_, partition, rows.front().offset, rows.back().offset + 1,
                              [&](log::Offset offset, std::string_view record) {
                                if (next == rows.end() || next->offset != offset) return;
                                ++next;
                                if (const auto event = event::decode(record)) block.append(*event, partition, offset);
                              });
  if (!read) return read.error();
  block.set_loader(loader);
  columns = block.native().column_names();
  std::string body;
  block.native().write(body);
  return body;
}

Result<void> Recovery::complete(log::Partition partition, const Row* begin, const Row* end, std::uint64_t loader,
                                Refused& refused) {
  auto rows = missing(partition, begin, end);
  if (!rows) return rows.error();
  if (rows->empty()) return {};
  const log::Range range{begin->offset, (end - 1)->offset + 1};
  std::string columns;
  const auto body = block_of(partition, *rows, loader, columns);
  if (!body) return body.error();
  const auto inserted = store_.insert_events_only(partition, range, columns, *body, loader);
  if (inserted) {
    logging::info("loader.completed",
                  {{"partition", partition}, {"begin", range.begin}, {"end", range.end}, {"missing", rows->size()}});
    return {};
  }
  const auto& failure = inserted.error();
  if (LoaderStore::is_replaced(failure)) return Error::reject("another loader took over");
  // Its holder may be dead, and nobody else here to see it.
  if (LoaderStore::is_rebuilding(failure)) RebuildLock::drop_given_up(store_.client(partition));
  if (!is_about_content(failure)) return Error::retry(failure.error.message);
  if (rows->size() == 1) return refuse(partition, rows->front(), failure, refused);
  // Each half looks again at what is there, as a refused insert may still have landed for some days.
  const Row* middle = rows->data() + rows->size() / 2;
  if (auto first = complete(partition, rows->data(), middle, loader, refused); !first) return first;
  return complete(partition, middle, rows->data() + rows->size(), loader, refused);
}

Result<void> Recovery::refuse(log::Partition partition, const Row& row, const clickhouse::InsertFailure& failure,
                              Refused& refused) {
  const auto why = fmt::format("the store refuses it (error {}): {}", failure.code, failure.error.message);
  return for_each_record(log_, partition, row.offset, row.offset + 1, [&](log::Offset, std::string_view record) {
    refused.push_back({row.identity, {{}, partition, row.offset, why, std::string(record)}});
  });
}

Result<log::Records> read_known(log::EventLog& log, log::Partition partition, log::Offset from,
                                std::size_t max_records) {
  auto records = log.read(partition, from, max_records, kRecoveryBytes);
  const auto is_none = [&] { return records && records->records.empty() && records->first == from; };
  if (is_none() && log.wait_for(partition, from, kGivenWithin))
    records = log.read(partition, from, max_records, kRecoveryBytes);
  if (is_none()) return Error::retry(fmt::format("the log does not give offset {}", from));
  // Behind a gap as many records reach further.
  if (records) {
    const std::uint64_t passed = std::min<std::uint64_t>(records->first - from, max_records);
    if (records->records.size() > max_records - passed) records->records.resize(max_records - passed);
  }
  return records;
}

}  // namespace marquee::ingest
