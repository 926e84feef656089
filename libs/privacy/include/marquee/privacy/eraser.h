// Erasures of users: jobs that take everything of a user out of everything that this Marquee keeps.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "marquee/base/result.h"
#include "marquee/catalog/erasure_book.h"
#include "marquee/clickhouse/client.h"
#include "marquee/log/event_log.h"
#include "marquee/privacy/person.h"

namespace marquee::privacy {

/// Where something of users is, beside the store, and how it goes from there. All that is pointed to outlives the
/// eraser. Functions are called on the eraser's thread and may be called again for the same person.
struct Places {
  log::EventLog* events = nullptr;
  std::function<log::EventLog*()> decisions;  ///< The decisions' log; null, or gives null: nothing is decided here.
  /// Whether a record of the decisions' log, of a decision of `until_ms` or before, is of the person.
  std::function<bool(std::string_view record, const Person& person, std::int64_t until_ms)> is_decision_of;
  /// Forgets what is known while deciding by now, durably, in the files too. True where there was a profile.
  std::function<Result<bool>(const Person& person)> forget_profile;
  /// The same of what caps have counted until `until_ms`.
  std::function<Result<void>(const Person& person, std::int64_t until_ms)> forget_counts;
  /// Drops what the first of these keeps so that no event of before makes a profile again: there is none any more.
  std::function<Result<void>(const Person& person)> drop_marks;
  /// Brings what the store has written to the disk. Null: the store is not on this machine, and is left the time that
  /// it takes for that by itself.
  std::function<Result<void>()> sync_store;
  HashUser hash_user;
  /// Why users cannot be erased here; empty where they can.
  std::string refusal;
};

/// Works on one job at a time, in the order in which they were asked for, on a thread of its own. How far it has come
/// is kept in the catalog: whatever ends the process, the next one goes on. A step that fails is tried again until it
/// is done, and the job says why it waits. Thread safe.
///
/// What is of the user is what was received until the job was asked for. What comes later stays, as of someone new.
class Eraser {
 public:
  Eraser(catalog::Catalog& catalog, clickhouse::Client& store, Places places);
  ~Eraser() { stop(); }
  Eraser(const Eraser&) = delete;
  Eraser& operator=(const Eraser&) = delete;

  /// Once the store answers and has its schema.
  void start();
  /// When the step under way has ended.
  void stop();

  /// Why nobody can be erased here; empty where they can.
  [[nodiscard]] const std::string& refusal() const { return places_.refusal; }
  /// Keeps the job, durably, for the user that senders call `user_id`. Action::reject where users cannot be erased
  /// here, or the id is empty.
  [[nodiscard]] Result<catalog::Erasure> ask(std::string_view site_id, std::string_view user_id,
                                             std::string_view actor);
  [[nodiscard]] Result<std::vector<catalog::Erasure>> list(std::size_t most) const { return book_.list(most); }
  [[nodiscard]] Result<std::optional<catalog::Erasure>> find(std::string_view id) const { return book_.find(id); }

 private:
  struct Job;
  struct Step;
  static const std::vector<Step>& steps();

  void run(const std::stop_token& stop);
  [[nodiscard]] Result<void> work(catalog::Erasure erasure, const std::stop_token& stop);
  [[nodiscard]] Result<void> keep(Job& job);
  /// Keeps why it does not go on, and gives that back.
  [[nodiscard]] Result<void> fail(Job& job, const Error& error);
  [[nodiscard]] log::EventLog* decisions_log() const;
  bool pause(const std::stop_token& stop, Millis time);

  [[nodiscard]] Result<void> forget(Job& job);
  [[nodiscard]] Result<void> erase_logs(Job& job);
  [[nodiscard]] Result<void> await_landing(Job& job);
  [[nodiscard]] Result<void> look(Job& job);
  [[nodiscard]] Result<void> erase_rows(Job& job);
  [[nodiscard]] Result<void> erase_letters(Job& job);
  [[nodiscard]] Result<void> count_days(Job& job);
  [[nodiscard]] Result<void> purge(Job& job);
  [[nodiscard]] Result<void> verify(Job& job);
  [[nodiscard]] Result<void> drop_marks(Job& job);

  catalog::ErasureBook book_;
  clickhouse::Client& store_;
  const Places places_;
  std::mutex mutex_;
  std::condition_variable_any asked_;
  bool has_new_ = true;  ///< Guarded by mutex_.
  std::jthread thread_;
};

}  // namespace marquee::privacy
