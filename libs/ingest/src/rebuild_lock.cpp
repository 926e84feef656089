#include <fmt/format.h>
#include <fmt/ranges.h>

#include <chrono>
#include <thread>

#include "marquee/base/logging.h"
#include "marquee/ingest/rollup.h"
#include "store_lock.h"
#include "swap_note.h"
#include "table_swap.h"

namespace marquee::ingest {

Result<std::unique_ptr<RebuildLock>> RebuildLock::take(clickhouse::Client& store) {
  std::vector<std::string> cut_off;  // Days.
  const auto inherit = [&](const std::vector<std::string>& left, const StoreLock& own) -> Result<void> {
    auto days = noted_swaps(store, left);
    if (!days) return days.error();
    cut_off = std::move(*days);
    if (!cut_off.empty()) {
      if (auto noted = note_swaps(store, own.database(), cut_off); !noted) return noted;
    }
    return inherit_swap(store, left, own.database());
  };
  auto held = StoreLock::take(store, kRebuildLock, inherit);
  if (!held) return held.error();
  std::unique_ptr<RebuildLock> lock(new RebuildLock(store, std::move(*held)));
  lock->leave(!cut_off.empty());
  if (auto taken = lock->take_other_replicas(); !taken) return taken.error();
  if (cut_off.empty()) return lock;
  if (const auto rebuilt = rebuild_days(store, *lock, cut_off); !rebuilt) return rebuilt.error();
  lock->leave(false);
  logging::info("rebuild.finished_for_another", {{"database", lock->database()}, {"days", cut_off.size()}});
  return lock;
}

Result<std::uint64_t> RebuildLock::last_number(clickhouse::Client& store) {
  return StoreLock::last_number(store, kRebuildLock);
}

Result<bool> RebuildLock::was_rebuilt(clickhouse::Client& store, const std::vector<std::string>& days,
                                      std::uint64_t last) {
  const auto count =
      store.table(fmt::format("SELECT count() FROM {}.rebuilds WHERE number > {} AND hasAll(days, ['{}'])",
                              store.endpoint().database, last, fmt::join(days, "', '")),
                  {}, {.replica = 0});
  if (!count) return count.error();
  return count->rows.at(0).at(0) != "0";
}

Result<void> RebuildLock::note_rebuilt(const std::vector<std::string>& days) {
  if (days.empty()) return {};
  return store_.execute(fmt::format("INSERT INTO {}.rebuilds (number, days) VALUES ({}, ['{}'])",
                                    store_.endpoint().database, lock_->number(), fmt::join(days, "', '")),
                        {}, {.replica = 0});
}

// They only refuse inserts; what they know of holders that the first replica knows no longer is of the past.
Result<void> RebuildLock::take_other_replicas() {
  for (std::size_t replica = 1; replica < store_.replicas(); ++replica) {
    if (auto made = StoreLock::make(store_, kRebuildLock, lock_->number(), replica); !made) return made;
    const auto known = StoreLock::numbers(store_, kRebuildLock, replica);
    if (!known) return known.error();
    for (const std::uint64_t number : *known) {
      if (number > lock_->number()) return Error::retry("another process took the rebuild lock");
      if (number == lock_->number()) continue;
      if (auto dropped = StoreLock::drop(store_, kRebuildLock, number, replica); !dropped) return dropped;
    }
  }
  return {};
}

void RebuildLock::drop_given_up(clickhouse::Client& store) {
  const auto is_left = StoreLock::is_left(store, kRebuildLock);
  if (!is_left) return;
  // Taken and given back: a swap that was cut off is finished, never dropped.
  if (*is_left) {
    if (const auto lock = take(store); lock) logging::info("rebuild.lock_dropped", {{"database", (*lock)->database()}});
  }
  // One that took the lock since has made its database on the first replica before those on the others.
  for (std::size_t replica = 1; replica < store.replicas(); ++replica) {
    const auto known = StoreLock::numbers(store, kRebuildLock, replica);
    if (!known) continue;
    const auto now = StoreLock::numbers(store, kRebuildLock, 0);
    if (!now || !now->empty()) return;
    for (const std::uint64_t number : *known) (void)StoreLock::drop(store, kRebuildLock, number, replica);
  }
}

RebuildLock::RebuildLock(clickhouse::Client& store, std::unique_ptr<StoreLock> lock)
    : store_(store), lock_(std::move(lock)) {}

// The first replica's database goes last, as it decides.
RebuildLock::~RebuildLock() {
  for (std::size_t replica = 1; replica < store_.replicas(); ++replica) {
    if (auto dropped = StoreLock::drop(store_, kRebuildLock, lock_->number(), replica); !dropped)
      logging::warn("rebuild.lock_left", {{"database", lock_->database()}, {"error", dropped.error().message}});
  }
}

const std::string& RebuildLock::database() const { return lock_->database(); }

void RebuildLock::leave(bool does_stay) { lock_->leave(does_stay); }

Result<void> RebuildLock::wait_for_inserts(Millis limit) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  for (std::size_t replica = 0; replica < store_.replicas();) {
    const auto running = store_.table(
        "SELECT query_id FROM system.processes WHERE startsWith(Settings['log_comment'], 'load-') "
        "OR startsWith(Settings['log_comment'], 'repair-')",
        {}, {.replica = replica});
    if (!running) return running.error();
    if (running->rows.empty()) {
      ++replica;
      continue;
    }
    if (std::chrono::steady_clock::now() > deadline) return Error::retry("an insert does not end");
    std::this_thread::sleep_for(Millis(10));
  }
  if (store_.replicas() == 1) return {};
  return store_.execute(fmt::format("SYSTEM SYNC REPLICA {}.events LIGHTWEIGHT", store_.endpoint().database), {},
                        {.replica = 0});
}

}  // namespace marquee::ingest
