// The statements by which a user goes out of the store.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "marquee/base/result.h"
#include "marquee/base/time.h"
#include "marquee/clickhouse/client.h"
#include "marquee/privacy/person.h"

namespace marquee::privacy {

/// A table whose rows say of which user they are.
struct UserTable {
  std::string name;         ///< Without database.
  std::string time_column;  ///< When a row came; empty where it is made of rows of other tables.
  bool is_rollup = false;   ///< Counted from the events by day, and again where those change.
  bool operator==(const UserTable&) const = default;
};

/// One user at a time, of one process. Each statement may be cut off and made again. Not thread safe.
class StoreEraser {
 public:
  explicit StoreEraser(clickhouse::Client& store) : store_(store) {}

  /// Of whom the next are. To be said again after the store was away: it is in its memory alone.
  [[nodiscard]] Result<void> set(const Person& person);
  /// Nobody any more.
  [[nodiscard]] Result<void> forget() { return run("TRUNCATE TABLE marquee.erasing"); }
  /// Every table with site_id and user_key, whichever migration made it.
  [[nodiscard]] Result<std::vector<UserTable>> tables();
  /// Rows of the person of before or at `until_ms`.
  [[nodiscard]] Result<std::uint64_t> count(const UserTable& table, std::int64_t until_ms);
  /// Whether there is any event of the person, also of later.
  [[nodiscard]] Result<bool> has_events();
  /// Days (partition ids, "20260131") of such events.
  [[nodiscard]] Result<std::vector<std::string>> days(std::int64_t until_ms);
  /// Takes them out: every part that holds one is written anew. Returns the bytes of those parts. Of a rollup only
  /// those of days of which no event of the person is left, as when retention has ended: the others are to be counted
  /// again.
  [[nodiscard]] Result<std::uint64_t> erase(const UserTable& table, std::int64_t until_ms);
  /// Finds the dead letters of the person, for erase_letters(); returns their number.
  [[nodiscard]] Result<std::uint64_t> find_letters(const Person& person, const HashUser& hash_user,
                                                   std::int64_t until_ms);
  /// Takes out those that were found, with their marks of replays.
  [[nodiscard]] Result<void> erase_letters();
  /// Of a day of all rollups, as they are now.
  [[nodiscard]] Result<std::uint64_t> rollup_bytes(const std::string& day);
  /// Whether history is read again into other tables just now (`marquee load --from`), which have the user, too.
  [[nodiscard]] Result<bool> is_rewound();

  /// Lets parts that are no longer in force go soon instead of after minutes; for `is_soon` false as it was.
  [[nodiscard]] Result<void> let_old_parts_go(bool is_soon);
  /// Parts that were no longer in force at `time_ms`, and are still on the disk.
  [[nodiscard]] Result<std::uint64_t> old_parts(std::int64_t time_ms);
  /// Has the tables look for what may go now. An idle table does so by itself, after up to ten minutes.
  [[nodiscard]] Result<void> clean_up();
  /// What a crash left aside (detached parts) of any table that may have the user; returns their number.
  [[nodiscard]] Result<std::uint64_t> drop_detached();
  /// The store's clock, in milliseconds since the Unix epoch.
  [[nodiscard]] Result<std::int64_t> now_ms();

 private:
  /// Names of tables in the store's files that have or had the user: those of tables(), letters, rollups.
  [[nodiscard]] Result<std::vector<std::string>> places();
  [[nodiscard]] Result<std::string> text(const std::string& sql);
  [[nodiscard]] Result<std::uint64_t> number(const std::string& sql);
  [[nodiscard]] Result<void> run(const std::string& sql);

  clickhouse::Client& store_;
};

}  // namespace marquee::privacy
