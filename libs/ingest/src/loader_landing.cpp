#include "loader_landing.h"

#include <fmt/format.h>

#include <limits>

#include "marquee/base/logging.h"
#include "marquee/ingest/rollup.h"

namespace marquee::ingest {

std::size_t PlainLanding::batches_per_insert() const { return std::numeric_limits<std::size_t>::max(); }

LoaderStore::Inserted PlainLanding::insert(const Batches& batches, const std::string& body) {
  return store_.insert(batches, body);
}

Result<void> PlainLanding::take_from(std::uint64_t planner, log::Partition partition) {
  return store_.shut_out(planner, partition);
}

Result<void> PlainLanding::prepare(log::Partition partition, std::uint64_t loader) {
  if (auto done = shut_out_doubted(partition, loader); !done) return done;
  return store_.settled(partition);
}

// What had no answer may be in some buffer still, and would land after it was counted.
Result<void> PlainLanding::shut_out_doubted(log::Partition partition, std::uint64_t loader) {
  bool is_own = false;
  for (const std::uint64_t name : store_.doubted(partition)) {
    if (auto done = store_.shut_out(name, partition); !done) return done;
    is_own = is_own || name == loader;
  }
  if (is_own) return Error::reject("an insert of this loader may still arrive; it goes on under another name");
  return {};
}

Result<Landing::Completed> PlainLanding::complete(const LoadBatch& batch, std::uint64_t loader,
                                                  std::chrono::seconds /*age*/) {
  if (auto done = shut_out_doubted(batch.partition(), loader); !done) return done.error();
  auto refused = recovery_.complete_events(batch, loader);
  if (!refused) return refused.error();
  return Completed{std::move(*refused), true};
}

std::string ReplicatedLanding::token(const LoadBatch& batch) const {
  // The fingerprint tells this log from another of the same name, whose offsets begin at 0 again.
  return fmt::format("{}/{}/{}-{}/{:016x}", topic_, batch.partition(), batch.range().begin, batch.range().end,
                     batch.fingerprint());
}

LoaderStore::Inserted ReplicatedLanding::insert(const Batches& batches, const std::string& body) {
  return store_.insert(batches, body,
                       {{"insert_deduplication_token", token(*batches.front())},
                        {"insert_deduplicate", "1"},
                        {"deduplicate_blocks_in_dependent_materialized_views", "1"},
                        {"insert_quorum", quorum_}});
}

// What has a token cannot land twice while the token is known. A repair has none.
Result<void> ReplicatedLanding::take_from(std::uint64_t planner, log::Partition partition) {
  if (is_for_repairs(planner)) return store_.shut_out(planner, partition);
  store_.doubt(planner, partition);
  return {};
}

Result<void> ReplicatedLanding::prepare(log::Partition partition, std::uint64_t /*loader*/) {
  return store_.catch_up(partition);
}

Result<bool> ReplicatedLanding::is_complete(const LoadBatch& batch) {
  if (auto done = store_.catch_up(batch.partition()); !done) return done.error();
  const auto landed = store_.landed(batch.partition(), batch.range());
  if (!landed) return landed.error();
  const auto missing = missing_rows(batch.rows(), *landed);
  if (missing.empty() && landed->size() == batch.rows().size()) return true;
  logging::warn("loader.wrong_count", {{"partition", batch.partition()},
                                       {"begin", batch.range().begin},
                                       {"end", batch.range().end},
                                       {"rows", batch.rows().size()},
                                       {"landed", landed->size()},
                                       {"missing", missing.size()}});
  return missing.empty();
}

/// False where that does not do.
Result<bool> ReplicatedLanding::send_again(const LoadBatch& batch) {
  const auto sent = insert({&batch}, batch.body());
  if (sent) return is_complete(batch);
  if (LoaderStore::is_replaced(sent.error())) return Error::reject("another loader took over");
  if (is_about_content(sent.error())) return false;
  if (LoaderStore::is_rebuilding(sent.error())) RebuildLock::drop_given_up(store_.client(batch.partition()));
  return Error::retry(sent.error().error.message);
}

Result<Landing::Completed> ReplicatedLanding::complete(const LoadBatch& batch, std::uint64_t loader,
                                                       std::chrono::seconds age) {
  if (is_for_repairs(loader)) return plain_.complete(batch, loader, age);
  if (batch.rows().empty()) return Completed{};
  if (age < kTokenTrust) {
    const auto is_done = send_again(batch);
    if (!is_done) return is_done.error();
    if (*is_done) return Completed{};
  }
  // The log has to know first: a repair that is cut off may have completed the events but not the rollups.
  return Error::reject("it takes a repair");
}

std::unique_ptr<Landing> make_landing(const LoaderOptions& options, LoaderStore& store, log::EventLog& log) {
  if (!options.replicated) return std::make_unique<PlainLanding>(store, log);
  return std::make_unique<ReplicatedLanding>(store, log, options.topic, options.insert_quorum);
}

}  // namespace marquee::ingest
