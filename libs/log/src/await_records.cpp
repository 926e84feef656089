#include "marquee/log/await_records.h"

#include <fmt/format.h>

#include <chrono>

namespace marquee::log {

Result<Records> await_records(EventLog& log, Partition partition, Offset from, std::size_t max_records,
                              std::size_t max_bytes, Millis wait) {
  constexpr Millis kStep{20};
  const auto deadline = std::chrono::steady_clock::now() + wait;
  for (;;) {
    auto records = log.read(partition, from, max_records, max_bytes);
    if (!records || !records->records.empty() || records->first > from) return records;
    if (std::chrono::steady_clock::now() > deadline)
      return Error::retry(fmt::format("partition {} gives nothing at offset {}", partition, from));
    static_cast<void>(log.wait_for(partition, from, kStep));
  }
}

}  // namespace marquee::log
