#include "store_lock.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <condition_variable>
#include <fstream>
#include <mutex>
#include <set>

#include "first_line.h"
#include "marquee/base/logging.h"

namespace marquee::ingest {
namespace {

constexpr Millis kSignEvery{3'000};

/// Ticks since boot at which the process began; empty where there is none of that id.
std::string start_of(const std::string& pid) {
  const std::string stat = first_line(fmt::format("/proc/{}/stat", pid));
  const std::size_t end_of_name = stat.rfind(')');
  if (end_of_name == std::string::npos) return {};
  std::size_t at = end_of_name + 2;
  for (int field = 3; field < 22 && at != std::string::npos; ++field) at = stat.find(' ', at + 1);
  if (at == std::string::npos) return {};
  return stat.substr(at + 1, stat.find(' ', at + 1) - at - 1);
}

/// Where process ids mean the same processes.
std::string place() {
  std::array<char, 256> host{};
  ::gethostname(host.data(), host.size() - 1);
  std::array<char, 64> space{};
  (void)::readlink("/proc/self/ns/pid", space.data(), space.size() - 1);
  return fmt::format("{}/{}/{}", host.data(), first_line("/proc/sys/kernel/random/boot_id"), space.data());
}

/// This process, as no other is called.
std::string this_process() {
  const std::string pid = std::to_string(::getpid());
  std::string holder = fmt::format("{} {} {}", place(), pid, start_of(pid));
  std::erase(holder, '\'');
  return holder;
}

/// Databases of the locks that this process holds or tries to take: one that could not be dropped, as the store was
/// away, is known to be given up. Of two that try the same number one goes while the other stays.
class Held {
 public:
  void add(const std::string& database) {
    const std::lock_guard lock(mutex_);
    databases_.insert(database);
  }
  void remove(const std::string& database) {
    const std::lock_guard lock(mutex_);
    databases_.erase(databases_.find(database));
  }
  [[nodiscard]] bool has(const std::string& database) const {
    const std::lock_guard lock(mutex_);
    return databases_.contains(database);
  }

 private:
  mutable std::mutex mutex_;
  std::multiset<std::string> databases_;
};

Held& held() {
  static Held held;
  return held;
}

struct Holding {
  std::uint64_t number = 0;
  std::string database;
  std::string holder;
};

/// True where the holder ran here and is gone.
bool is_known_dead(const Holding& holding) {
  if (holding.holder == this_process()) return !held().has(holding.database);
  const std::string here = place() + " ";
  if (!holding.holder.starts_with(here)) return false;
  const std::size_t space = holding.holder.find(' ', here.size());
  if (space == std::string::npos) return false;
  return start_of(holding.holder.substr(here.size(), space - here.size())) != holding.holder.substr(space + 1);
}

/// Those that a replica knows, ascending: one, or none, or for a moment more.
Result<std::vector<Holding>> holdings(clickhouse::Client& store, const LockKind& kind, std::size_t replica = 0) {
  auto rows = store.table("SELECT name, comment FROM system.databases WHERE startsWith(name, {prefix:String})",
                          {{"prefix", std::string(kind.prefix)}}, {.replica = replica});
  if (!rows) return rows.error();
  std::vector<Holding> all;
  for (const auto& row : rows->rows) {
    Holding one{0, row[0], row[1]};
    const std::string_view digits = std::string_view(row[0]).substr(kind.prefix.size());
    if (std::from_chars(digits.data(), digits.data() + digits.size(), one.number).ec == std::errc()) all.push_back(one);
  }
  std::ranges::sort(all, {}, &Holding::number);
  return all;
}

std::string signs_of(clickhouse::Client& store, const LockKind& kind) {
  return fmt::format("{}.{}", store.endpoint().database, kind.signs);
}

Result<bool> is_given_up(clickhouse::Client& store, const LockKind& kind, const Holding& holding) {
  if (is_known_dead(holding)) return true;
  const auto age =
      store.table(fmt::format("SELECT dateDiff('millisecond', max(time), now64(3)) FROM {} WHERE number = {}",
                              signs_of(store, kind), holding.number),
                  {}, {.replica = 0});
  if (!age) return age.error();
  return std::stoll(age->rows.at(0).at(0)) > StoreLock::kLease.count();
}

Result<void> give_sign(clickhouse::Client& store, const LockKind& kind, std::uint64_t number) {
  return store.execute(fmt::format("INSERT INTO {} (number) VALUES ({})", signs_of(store, kind), number), {},
                       {.replica = 0});
}

std::string database_of(const LockKind& kind, std::uint64_t number) { return fmt::format("{}{}", kind.prefix, number); }

}  // namespace

Result<std::unique_ptr<StoreLock>> StoreLock::take(clickhouse::Client& store, const LockKind& kind,
                                                   const Inherit& inherit) {
  const auto before = holdings(store, kind);
  if (!before) return before.error();
  std::uint64_t number = 0;
  for (const Holding& holding : *before) {
    const auto given_up = is_given_up(store, kind, holding);
    if (!given_up) return given_up.error();
    if (!*given_up) return Error::retry(fmt::format("another process {}", kind.purpose));
    logging::info("store_lock.taken_over", {{"database", holding.database}, {"holder", holding.holder}});
    number = holding.number;
  }
  // A number is never used twice: a holder that sleeps must not find its database again.
  const auto last = last_number(store, kind);
  if (!last) return last.error();
  number = std::max(number, *last) + 1;
  if (auto sign = give_sign(store, kind, number); !sign) return sign.error();
  std::unique_ptr<StoreLock> lock(new StoreLock(store, kind, number));
  auto made = store.execute(fmt::format("CREATE DATABASE {} COMMENT '{}'", lock->database_, this_process()), {},
                            {.replica = 0});
  if (!made) {
    // Of two that try the same number one fails here; of two with different numbers the lower yields below. Where the
    // store broke off, the database may be there, and is known to be given up.
    lock->leave(true);
    return Error::retry(fmt::format("another process takes its place, or the store is away: {}", made.error().message));
  }
  const auto after = holdings(store, kind);
  if (!after) return after.error();
  if (after->empty() || after->back().number != number)
    return Error::retry(fmt::format("another process {}", kind.purpose));
  std::vector<Holding> left;
  for (const Holding& holding : *after) {
    if (holding.number == number) continue;
    // Whoever made one meanwhile and is not known to have given up keeps it.
    if (std::ranges::find(*before, holding.number, &Holding::number) == before->end())
      return Error::retry(fmt::format("another process {}", kind.purpose));
    left.push_back(holding);
  }
  if (left.empty()) return lock;
  std::vector<std::string> databases;
  for (const Holding& holding : left) databases.push_back(holding.database);
  if (auto inherited = inherit(databases, *lock); !inherited) {
    lock->leave(true);
    return inherited.error();
  }
  for (const Holding& holding : left) {
    if (auto dropped = drop(store, kind, holding.number, 0); !dropped) return dropped.error();
  }
  return lock;
}

Result<std::uint64_t> StoreLock::last_number(clickhouse::Client& store, const LockKind& kind) {
  const auto highest =
      store.table(fmt::format("SELECT max(number) FROM {}", signs_of(store, kind)), {}, {.replica = 0});
  if (!highest) return highest.error();
  return std::stoull(highest->rows.at(0).at(0));
}

Result<std::vector<std::uint64_t>> StoreLock::numbers(clickhouse::Client& store, const LockKind& kind,
                                                      std::size_t replica) {
  const auto all = holdings(store, kind, replica);
  if (!all) return all.error();
  std::vector<std::uint64_t> numbers;
  for (const Holding& holding : *all) numbers.push_back(holding.number);
  return numbers;
}

Result<void> StoreLock::make(clickhouse::Client& store, const LockKind& kind, std::uint64_t number,
                             std::size_t replica) {
  return store.execute(
      fmt::format("CREATE DATABASE IF NOT EXISTS {} COMMENT '{}'", database_of(kind, number), this_process()), {},
      {.replica = replica});
}

Result<void> StoreLock::drop(clickhouse::Client& store, const LockKind& kind, std::uint64_t number,
                             std::size_t replica) {
  clickhouse::QueryOptions options;
  options.replica = replica;
  if (kind.holds_much) options.timeout_ms = 0;
  return store.execute(fmt::format("DROP DATABASE IF EXISTS {} SYNC", database_of(kind, number)), {}, options);
}

Result<bool> StoreLock::is_left(clickhouse::Client& store, const LockKind& kind) {
  const auto all = holdings(store, kind);
  if (!all) return all.error();
  for (const Holding& holding : *all) {
    const auto given_up = is_given_up(store, kind, holding);
    if (!given_up) return given_up.error();
    if (!*given_up) return false;
  }
  return !all->empty();
}

StoreLock::StoreLock(clickhouse::Client& store, const LockKind& kind, std::uint64_t number)
    : store_(store), kind_(kind), number_(number), database_(database_of(kind, number)) {
  held().add(database_);
  signs_ = std::jthread([this](std::stop_token stop) { give_signs_of_life(std::move(stop)); });
}

StoreLock::~StoreLock() {
  signs_.request_stop();
  signs_.join();
  if (!does_stay_) {
    if (auto dropped = drop(store_, kind_, number_, 0); !dropped)
      logging::warn("store_lock.left", {{"database", database_}, {"error", dropped.error().message}});
  }
  held().remove(database_);
}

void StoreLock::give_signs_of_life(std::stop_token stop) {
  std::mutex mutex;
  std::condition_variable_any stopped;
  std::unique_lock lock(mutex);
  while (!stopped.wait_for(lock, stop, kSignEvery, [&] { return stop.stop_requested(); })) {
    if (auto sign = give_sign(store_, kind_, number_); !sign)
      logging::warn("store_lock.no_sign_of_life", {{"database", database_}, {"error", sign.error().message}});
  }
}

}  // namespace marquee::ingest
