#include "swap_note.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <set>
#include <sstream>

namespace marquee::ingest {
namespace {

constexpr const char* kNote = "swaps";

}  // namespace

Result<void> note_swaps(clickhouse::Client& store, const std::string& database, const std::vector<std::string>& days) {
  return store.execute(fmt::format("CREATE OR REPLACE TABLE {}.{} (nothing UInt8) ENGINE = Memory COMMENT '{}'",
                                   database, kNote, fmt::join(days, " ")),
                       {}, {.replica = 0});
}

Result<void> forget_swaps(clickhouse::Client& store, const std::string& database) {
  return store.execute(fmt::format("DROP TABLE IF EXISTS {}.{} SYNC", database, kNote), {}, {.replica = 0});
}

Result<std::vector<std::string>> noted_swaps(clickhouse::Client& store, const std::vector<std::string>& databases) {
  const auto notes =
      store.table(fmt::format("SELECT comment FROM system.tables WHERE database IN ('{}') AND name = {{note:String}}",
                              fmt::join(databases, "', '")),
                  {{"note", kNote}}, {.replica = 0});
  if (!notes) return notes.error();
  std::set<std::string> days;
  for (const auto& note : notes->rows) {
    std::istringstream text(note.at(0));
    for (std::string day; text >> day;) days.insert(day);
  }
  return std::vector<std::string>(days.begin(), days.end());
}

}  // namespace marquee::ingest
