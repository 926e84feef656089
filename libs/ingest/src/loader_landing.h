// How a batch whose outcome is not known comes to be in the store exactly once. Plain tables and replicated tables
// differ in this and in nothing else that the loader does.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "loader_batch.h"
#include "loader_store.h"
#include "marquee/ingest/loader.h"
#include "marquee/log/event_log.h"
#include "recovery.h"

namespace marquee::ingest {

/// A loader's name that says in the log's plan: this range is being repaired, so whoever takes it over repairs it too.
[[nodiscard]] constexpr bool is_for_repairs(std::uint64_t loader) { return (loader & 2) != 0; }

/// Thread safe. Every step may be cut off and begun again.
class Landing {
 public:
  using Batches = std::vector<const LoadBatch*>;

  struct Completed {
    std::vector<RefusedRow> refused;  ///< Rows that are to be dead letters.
    bool needs_rebuild = false;       ///< The rollups of the batch's days may not have it.
  };

  virtual ~Landing() = default;
  /// How many batches, of different partitions, one insert may carry.
  [[nodiscard]] virtual std::size_t batches_per_insert() const = 0;
  [[nodiscard]] virtual LoaderStore::Inserted insert(const Batches& batches, const std::string& body) = 0;
  /// Before the plan of the loader `planner` is made this one's.
  [[nodiscard]] virtual Result<void> take_from(std::uint64_t planner, log::Partition partition) = 0;
  /// Before the store is asked what landed of a partition. Action::retry while that cannot be told, Action::reject as
  /// for complete().
  [[nodiscard]] virtual Result<void> prepare(log::Partition partition, std::uint64_t loader) = 0;
  /// Brings the events table to hold each row of `batch`, which is planned and sealed for `loader`, exactly once, but
  /// for those that are refused. `age` is how long ago its insert may have been sent at most. Action::reject where
  /// `loader` is or was now shut out, or may not repair: the batch must then be planned under another name, one
  /// is_for_repairs, and this be called again.
  [[nodiscard]] virtual Result<Completed> complete(const LoadBatch& batch, std::uint64_t loader,
                                                   std::chrono::seconds age) = 0;
};

/// Counting: what is under way is shut out and waited for, what is missing is completed, and the rollups of those days
/// are rebuilt. Sound whatever happened, and dear.
class PlainLanding final : public Landing {
 public:
  PlainLanding(LoaderStore& store, log::EventLog& log) : store_(store), recovery_(store, log) {}
  [[nodiscard]] std::size_t batches_per_insert() const override;
  [[nodiscard]] LoaderStore::Inserted insert(const Batches& batches, const std::string& body) override;
  [[nodiscard]] Result<void> take_from(std::uint64_t planner, log::Partition partition) override;
  [[nodiscard]] Result<void> prepare(log::Partition partition, std::uint64_t loader) override;
  [[nodiscard]] Result<Completed> complete(const LoadBatch& batch, std::uint64_t loader,
                                           std::chrono::seconds age) override;

 private:
  [[nodiscard]] Result<void> shut_out_doubted(log::Partition partition, std::uint64_t loader);

  LoaderStore& store_;
  Recovery recovery_;
};

/// Tokens: an insert is of one partition's range and named by it, so that whoever sends it again, to whichever replica,
/// completes what is missing and changes nothing else. Then the events are counted all the same, and where the count is
/// wrong, or the plan so old that the store may have forgotten the token, it is done as on plain tables.
class ReplicatedLanding final : public Landing {
 public:
  /// A token is relied on for so long after its range was planned: what comes between, at a hundred blocks a second,
  /// is well within clickhouse::kTokenWindowBlocks.
  static constexpr std::chrono::minutes kTokenTrust{10};

  ReplicatedLanding(LoaderStore& store, log::EventLog& log, std::string topic, std::string quorum)
      : store_(store), plain_(store, log), topic_(std::move(topic)), quorum_(std::move(quorum)) {}
  [[nodiscard]] std::size_t batches_per_insert() const override { return 1; }
  [[nodiscard]] LoaderStore::Inserted insert(const Batches& batches, const std::string& body) override;
  [[nodiscard]] Result<void> take_from(std::uint64_t planner, log::Partition partition) override;
  [[nodiscard]] Result<void> prepare(log::Partition partition, std::uint64_t loader) override;
  [[nodiscard]] Result<Completed> complete(const LoadBatch& batch, std::uint64_t loader,
                                           std::chrono::seconds age) override;

 private:
  [[nodiscard]] std::string token(const LoadBatch& batch) const;
  [[nodiscard]] Result<bool> send_again(const LoadBatch& batch);
  [[nodiscard]] Result<bool> is_complete(const LoadBatch& batch);

  LoaderStore& store_;
  PlainLanding plain_;
  const std::string topic_;
  const std::string quorum_;
};

[[nodiscard]] std::unique_ptr<Landing> make_landing(const LoaderOptions& options, LoaderStore& store,
                                                    log::EventLog& log);

}  // namespace marquee::ingest
