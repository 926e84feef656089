#include "recovery.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "marquee/base/logging.h"

namespace marquee::ingest {
namespace {

/// The store refused the rows for what they hold, and would refuse them again. Any other refusal is the store's own
/// fault and is waited out: a fault must never turn events into dead letters.
bool is_about_content(int code) {
  constexpr std::array codes = {
      6,    // CANNOT_PARSE_TEXT
      25,   // CANNOT_PARSE_ESCAPE_SEQUENCE
      26,   // CANNOT_PARSE_QUOTED_STRING
      27,   // CANNOT_PARSE_INPUT_ASSERTION_FAILED
      36,   // BAD_ARGUMENTS
      69,   // ARGUMENT_OUT_OF_BOUND
      72,   // CANNOT_PARSE_NUMBER
      117,  // INCORRECT_DATA
      131,  // TOO_LARGE_STRING_SIZE
      306,  // TOO_DEEP_RECURSION
      321,  // VALUE_IS_OUT_OF_RANGE_OF_DATA_TYPE
      691,  // UNKNOWN_ELEMENT_OF_ENUM
  };
  return std::ranges::find(codes, code) != codes.end();
}

/// Records from `begin` up to `end`, a piece at a time.
template <class Take>
Result<void> for_each_record(log::EventLog& log, log::Partition partition, log::Offset begin, log::Offset end,
                             Take&& take) {
  while (begin < end) {
    const auto records = log.read(partition, begin, end - begin, 8 * 1024 * 1024);
    if (!records) return records.error();
    if (records->records.empty()) return Error::give_up(fmt::format("the log has lost offset {}", begin));
    for (std::size_t i = 0; i < records->records.size() && records->first + i < end; ++i) {
      take(records->first + i, records->records[i]);
    }
    begin = records->first + records->records.size();
  }
  return {};
}

}  // namespace

Result<void> Recovery::complete_events(const LoadBatch& batch) {
  if (auto settled = store_.settled(batch.partition()); !settled) return settled;
  if (batch.rows().empty()) return {};
  return complete(batch.partition(), batch.rows().data(), batch.rows().data() + batch.rows().size());
}

Result<void> Recovery::complete(log::Partition partition, const Row* begin, const Row* end) {
  const log::Range range{begin->offset, (end - 1)->offset + 1};
  const auto landed = store_.landed(partition, range);
  if (!landed) return landed.error();
  // Compared with the identity, so that rows of an older log with the same offsets are not taken for these.
  std::vector<Row> missing;
  auto have = landed->begin();
  for (const Row* row = begin; row != end; ++row) {
    while (have != landed->end() && have->offset < row->offset) ++have;
    auto same = have;
    while (same != landed->end() && same->offset == row->offset && *same != *row) ++same;
    if (same == landed->end() || *same != *row) missing.push_back(*row);
  }
  if (missing.empty()) return {};

  EventBlock block;
  auto next = missing.begin();
  auto read = for_each_record(log_, partition, missing.front().offset, missing.back().offset + 1,
                              [&](log::Offset offset, std::string_view record) {
                                if (next == missing.end() || next->offset != offset) return;
                                ++next;
                                if (const auto event = event::decode(record)) block.append(*event, partition, offset);
                              });
  if (!read) return read;
  std::string body;
  block.native().write(body);
  const auto inserted = store_.insert_events_only(partition, range, block.native().column_names(), body);
  if (inserted) {
    logging::info("loader.completed", {{"partition", partition},
                                       {"begin", range.begin},
                                       {"end", range.end},
                                       {"missing", missing.size()},
                                       {"landed", landed->size()}});
    return {};
  }
  const auto& failure = inserted.error();
  if (failure.error.action != Action::reject || !is_about_content(failure.code)) {
    return Error::retry(failure.error.message);
  }
  if (missing.size() == 1) return bury(partition, missing.front(), failure.error.message);
  // Each half looks again at what is there, as a refused insert may still have landed for some days.
  const Row* middle = missing.data() + missing.size() / 2;
  if (auto first = complete(partition, missing.data(), middle); !first) return first;
  return complete(partition, middle, missing.data() + missing.size());
}

Result<void> Recovery::bury(log::Partition partition, const Row& row, const std::string& reason) {
  DeadLetter letter{row.offset, reason, {}};
  auto read = for_each_record(log_, partition, row.offset, row.offset + 1,
                              [&](log::Offset, std::string_view record) { letter.bytes = record; });
  if (!read) return read;
  logging::warn("loader.dead_letter", {{"partition", partition}, {"offset", row.offset}, {"reason", reason}});
  const auto inserted = store_.insert_dead_letters(partition, {letter});
  if (!inserted) return Error::retry(inserted.error().error.message);
  return {};
}

Result<void> Recovery::rebuild(const std::set<Day>& days) {
  std::vector<std::string> ids;
  ids.reserve(days.size());
  for (const Day day : days) ids.push_back(partition_id(day));
  const auto pass = gate_.close();
  if (!pass) return pass.error();
  const auto replaced = rebuild_days(store_.client(), ids);
  if (!replaced) return replaced.error();
  return {};
}

}  // namespace marquee::ingest
