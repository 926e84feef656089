// A right that one process of all has at a time, kept in the store.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "marquee/base/result.h"
#include "marquee/base/time.h"
#include "marquee/clickhouse/client.h"

namespace marquee::ingest {

struct LockKind {
  std::string_view prefix;   ///< Of its databases' names.
  std::string_view signs;    ///< Table of the holders' signs of life.
  std::string_view purpose;  ///< "another process ..."
  bool holds_much = false;   ///< Its database may take long to drop.
};
inline constexpr LockKind kRebuildLock{"marquee_rebuild_", "rebuilds", "rebuilds rollups"};
inline constexpr LockKind kRewindLock{"marquee_rewind_", "rewinds", "reads history again", true};

/// The lock is a database named by the kind and a number that is never used twice: making one is atomic, and what its
/// holder makes in it is gone, and nothing more can be made, when the lock is lost. A holder that gives no sign of life
/// for kLease, or is known to be dead, loses it. The first replica of the store decides. Thread safe.
class StoreLock {
 public:
  static constexpr Millis kLease{15'000};
  /// Takes what it needs of the databases that holders left, which are dropped afterwards, into the new holder's. Where
  /// it fails both stay, for the next to inherit.
  using Inherit = std::function<Result<void>(const std::vector<std::string>& left, const StoreLock& lock)>;

  /// Action::retry where another holds it.
  [[nodiscard]] static Result<std::unique_ptr<StoreLock>> take(clickhouse::Client& store, const LockKind& kind,
                                                               const Inherit& inherit);
  /// Whether somebody left it behind.
  [[nodiscard]] static Result<bool> is_left(clickhouse::Client& store, const LockKind& kind);
  /// Of who took it last; 0: nobody ever did. Numbers ascend.
  [[nodiscard]] static Result<std::uint64_t> last_number(clickhouse::Client& store, const LockKind& kind);
  /// Numbers of the databases of that kind that a replica has, ascending.
  [[nodiscard]] static Result<std::vector<std::uint64_t>> numbers(clickhouse::Client& store, const LockKind& kind,
                                                                  std::size_t replica);
  /// Of a replica that does not decide: makes the database of the number, or drops it.
  [[nodiscard]] static Result<void> make(clickhouse::Client& store, const LockKind& kind, std::uint64_t number,
                                         std::size_t replica);
  [[nodiscard]] static Result<void> drop(clickhouse::Client& store, const LockKind& kind, std::uint64_t number,
                                         std::size_t replica);

  /// Gives it back, or leaves it.
  ~StoreLock();
  StoreLock(const StoreLock&) = delete;
  StoreLock& operator=(const StoreLock&) = delete;

  /// Whether the database stays, for the next to inherit, when this goes.
  void leave(bool does_stay) { does_stay_ = does_stay; }
  [[nodiscard]] std::uint64_t number() const { return number_; }
  [[nodiscard]] const std::string& database() const { return database_; }

 private:
  StoreLock(clickhouse::Client& store, const LockKind& kind, std::uint64_t number);
  void give_signs_of_life(std::stop_token stop);

  clickhouse::Client& store_;
  const LockKind kind_;
  const std::uint64_t number_;
  const std::string database_;
  bool does_stay_ = false;
  std::jthread signs_;
};

}  // namespace marquee::ingest
