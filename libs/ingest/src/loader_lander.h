// Lands the batches of its partitions, several in one insert: plans, inserts, recovers, confirms.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "loader_context.h"
#include "loader_exchange.h"
#include "loader_reader.h"
#include "recovery.h"

namespace marquee::ingest {

/// One thread, and one more per partition that reads ahead. Thread safe.
class Lander {
 public:
  explicit Lander(LoaderContext& context);
  ~Lander();
  Lander(const Lander&) = delete;
  Lander& operator=(const Lander&) = delete;

  void start();
  /// From now on `partition` is landed here.
  void take(log::Partition partition);
  /// Waits for what is under way, confirms it unless `is_lost`, and forgets the partition.
  void release(log::Partition partition, bool is_lost);
  /// Asks to stop; join() waits. An insert under way is landed; what waits behind it stays in the log.
  void request_stop() { exchange_.request_stop(); }
  void join();
  /// Of the partitions and batches; recoveries and last_error are the context's.
  void add_status(LoaderStatus& status) const;
  void add_partitions(std::vector<PartitionStatus>& partitions) const;

 private:
  using Group = Exchange::Group;

  /// Landed, but the plan for it still stands.
  struct Unconfirmed {
    log::Range range;
    std::uint64_t planner = 0;
  };
  /// What is known of a partition.
  struct Standing {
    std::unique_ptr<PartitionReader> reader;
    std::optional<log::Offset> landed;  ///< Everything before has landed; none while it is not known.
    std::optional<Unconfirmed> unconfirmed;
    std::uint64_t events_landed = 0, repeats_dropped = 0, dead_letters = 0, batch_rows = 0;
    std::int64_t landed_ms = 0;
  };
  enum class Outcome { landed, wait, rebuilding, unknown, replaced };

  /// Where the log of each partition ends. Asked without the lock, as brokers may let it wait.
  [[nodiscard]] std::map<log::Partition, log::Offset> ends_of_all() const;
  void run();
  /// False where the loader stops first.
  [[nodiscard]] bool land(Group& group);
  /// Plans the group's ranges for this loader; batches whose partitions are another's now leave the group.
  [[nodiscard]] bool plan(Group& group, std::uint64_t loader);
  void drop_if(Group& group, const std::function<bool(const LoadBatch&)>& condition);
  void give_back_if(Group& group, const std::function<bool(const LoadBatch&)>& condition);
  /// The loader's name in the place of `replaced`; nullopt where the loader stops first.
  [[nodiscard]] std::optional<LoaderContext::Name> rename(const Group& group, std::uint64_t replaced,
                                                          bool may_have_landed);
  /// Leaves the group, which is planned, to its readers: they take their partitions over anew.
  void start_anew(const Group& group, bool may_have_landed);
  /// Writes what could not be decoded, however long it takes. False where the loader stops first.
  [[nodiscard]] bool write_dead_letters(const Group& group);
  [[nodiscard]] bool write_dead_letters(log::Partition partition, std::vector<DeadLetter> letters);
  /// The same for rows that the store refused; they are not tried again.
  [[nodiscard]] bool bury(LoadBatch& batch, const std::vector<RefusedRow>& refused);
  [[nodiscard]] Outcome insert(const Group& group, std::uint64_t loader, unsigned failures);
  [[nodiscard]] Outcome recover(Group& group, std::uint64_t loader, std::chrono::seconds age, unsigned failures);
  void note_failure(const Group& group, std::string_view what, const Error& error, unsigned failures);
  void note_landed(const Group& group, std::uint64_t loader);
  void confirm_all();
  [[nodiscard]] std::optional<Unconfirmed> unconfirmed(log::Partition partition) const;
  /// Where a landed plan could not be confirmed: tells the next owner through the store.
  void leave_note(log::Partition partition);
  /// False where it is worth another try.
  bool confirm(log::Partition partition, unsigned attempt = 1);

  LoaderContext& context_;
  Exchange exchange_;
  mutable std::mutex mutex_;
  std::map<log::Partition, Standing> standings_;  ///< Guarded by mutex_, as is the next.
  LoaderStatus status_;
  std::string body_;  ///< Of the insert under way.
  std::thread thread_;
};

}  // namespace marquee::ingest
