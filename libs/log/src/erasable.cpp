#include "marquee/log/erasable.h"

namespace marquee::log {

Result<ErasedRecords> erase_records(EventLog& log, Partition partition, Offset before,
                                    const ErasableLog::IsWanted& is_wanted) {
  auto* erasable = dynamic_cast<ErasableLog*>(&log);
  if (erasable == nullptr)
    return Error::reject("records of this log cannot be erased one by one: they go with the topic's retention");
  return erasable->erase(partition, before, is_wanted);
}

}  // namespace marquee::log
