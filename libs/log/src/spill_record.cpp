#include "spill_record.h"

#include <fmt/format.h>

#include <cstring>
#include <type_traits>

namespace marquee::log {
namespace {

constexpr char kSpillVersion = 1;

// version, then the members in this order, as this machine stores them: the near log never leaves it.
template <class R, class F>
void for_each_member(R& record, F&& visit) {
  visit(record.partition);
  visit(record.partitions);
  visit(record.key);
  visit(record.ticket);
  visit(record.time_ms);
}

constexpr std::size_t kHeadBytes = 1 + 2 * sizeof(Partition) + 3 * sizeof(std::uint64_t);

}  // namespace

void encode(const SpillRecord& spilled, std::string& out) {
  out += kSpillVersion;
  for_each_member(spilled,
                  [&](const auto& member) { out.append(reinterpret_cast<const char*>(&member), sizeof member); });
  out += spilled.record;
}

Result<SpillRecord> decode_spill_record(std::string_view bytes) {
  if (bytes.size() < kHeadBytes || bytes.front() != kSpillVersion)
    return Error::give_up(fmt::format("a record of {} bytes that no spill of this version wrote", bytes.size()));
  SpillRecord spilled;
  std::size_t at = 1;
  for_each_member(spilled, [&](auto& member) {
    std::memcpy(&member, bytes.data() + at, sizeof member);
    at += sizeof member;
  });
  spilled.record = bytes.substr(at);
  return spilled;
}

}  // namespace marquee::log
