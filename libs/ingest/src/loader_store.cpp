#include "loader_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "marquee/clickhouse/row_binary.h"
#include "offsets_sql.h"

namespace marquee::ingest {
namespace {

constexpr int kThrownByView = 395;
constexpr Millis kNoteWithin{2'000};  ///< Said while the loaders' group waits; unsaid, it only costs a recovery.

/// A batch may hold any number of days, and must go in as one block.
clickhouse::QueryOptions insert_options(std::string query_id) {
  clickhouse::QueryOptions options;
  options.query_id = std::move(query_id);
  // marquee-store cannot give the engine a query id, so what runs is known by its comment.
  options.settings = {{"log_comment", options.query_id},
                      {"max_partitions_per_insert_block", "0"},
                      {"type_json_skip_duplicated_paths", "1"},
                      {"async_insert", "0"},
                      // One block whatever the size, so that the store's refusal of a loader is of the whole insert.
                      {"min_insert_block_size_rows", "100000000"},
                      {"min_insert_block_size_bytes", "10000000000"},
                      // The views' GROUP BY has merged the block's rows already; the engine need not look for more.
                      {"optimize_on_insert", "0"}};
  return options;
}

constexpr std::string_view kRowColumns = "log_offset, site_id, session_id, seq, external_id";

/// Reads kRowColumns of one row.
Result<Row> read_row(clickhouse::RowBinaryReader& reader) {
  const auto offset = reader.number<std::uint64_t>();
  const auto site = reader.text();
  const auto session = reader.number<std::uint64_t>();
  const auto seq = reader.number<std::uint32_t>();
  const auto external = reader.text();
  if (!offset || !site || !session || !seq || !external) return Error::retry("the store's answer was cut off");
  return Row{*offset, event::identity(*site, *session, *seq, *external)};
}

Result<std::vector<Row>> parse_rows(std::string_view body) {
  clickhouse::RowBinaryReader reader(body);
  std::vector<Row> rows;
  while (!reader.at_end()) {
    const auto row = read_row(reader);
    if (!row) return row.error();
    rows.push_back(*row);
  }
  return rows;
}

}  // namespace

LoaderStore::LoaderStore(std::vector<clickhouse::Client*> shards, bool replicated)
    : shards_(std::move(shards)), replicated_(replicated), caught_up_(shards_.size()) {}

LoaderStore::LoaderStore(clickhouse::Client& store, std::optional<EventsBeside> beside)
    : shards_({&store}), replicated_(false), beside_(std::move(beside)), caught_up_(1) {}

std::string LoaderStore::name(log::Partition partition, std::string_view table) {
  return fmt::format("{}.{}", beside_ ? beside_->database : client(partition).endpoint().database, table);
}

clickhouse::QueryOptions LoaderStore::reading(log::Partition partition) const {
  clickhouse::QueryOptions options;
  options.format = "RowBinary";
  options.timeout_ms = 0;
  const std::lock_guard lock(mutex_);
  options.replica = caught_up_[shard(partition)];
  return options;
}

LoaderStore::Inserted LoaderStore::noted(Inserted inserted, std::uint64_t loader, log::Partition partition) {
  if (!inserted && inserted.error().may_still_arrive()) doubt(loader, partition);
  return inserted;
}

void LoaderStore::doubt(std::uint64_t loader, log::Partition partition) {
  const std::lock_guard lock(mutex_);
  doubted_.emplace(shard(partition), loader);
}

std::vector<std::uint64_t> LoaderStore::doubted(log::Partition partition) const {
  const std::lock_guard lock(mutex_);
  std::vector<std::uint64_t> names;
  for (const auto& [at, loader] : doubted_) {
    if (at == shard(partition)) names.push_back(loader);
  }
  return names;
}

LoaderStore::Inserted LoaderStore::insert(const std::vector<const LoadBatch*>& batches, const std::string& body,
                                          const clickhouse::Settings& further) {
  // The id names the partitions, so that settled() finds it by any of them.
  std::string id = "load-";
  for (const LoadBatch* batch : batches) id += fmt::format("p{}.", batch->partition());
  id += fmt::format("-{}-{}", batches.front()->range().begin, batches.front()->range().end);
  auto options = insert_options(id);
  options.settings.insert(further.begin(), further.end());
  const log::Partition partition = batches.front()->partition();
  const auto statement =
      fmt::format("INSERT INTO {} ({})", name(partition, "events_entry"), batches.front()->columns());
  return noted(client(partition).insert(statement, "Native", body, options), batches.front()->sealed_for(), partition);
}

LoaderStore::Inserted LoaderStore::insert_events_only(log::Partition partition, log::Range range,
                                                      const std::string& columns, const std::string& body,
                                                      std::uint64_t loader) {
  const auto id = fmt::format("{}-p{}.-{}-{}", beside_ ? beside_->mark : "repair", partition, range.begin, range.end);
  const auto statement = fmt::format("INSERT INTO {} ({})", name(partition, "events_repair_entry"), columns);
  // It may be the second repair of the same rows, and not by a fault: no table is to take it for a repeat.
  auto options = insert_options(id);
  options.settings["insert_deduplication_token"] =
      fmt::format("{}-{}", id, std::chrono::system_clock::now().time_since_epoch().count());
  return noted(client(partition).insert(statement, "Native", body, options), loader, partition);
}

bool LoaderStore::is_replaced(const clickhouse::InsertFailure& failure) {
  return failure.code == kThrownByView && failure.error.message.find("marquee: this loader") != std::string::npos;
}

bool LoaderStore::is_rebuilding(const clickhouse::InsertFailure& failure) {
  return failure.code == kThrownByView && failure.error.message.find("marquee: rollups are") != std::string::npos;
}

Result<void> LoaderStore::shut_out(std::uint64_t loader, log::Partition partition) {
  const auto statement =
      fmt::format("INSERT INTO {} (loader) VALUES ('{}')", name(partition, "loaders_replaced"), loader_name(loader));
  for (std::size_t replica = 0; replica < client(partition).replicas(); ++replica) {
    if (auto done = client(partition).execute(statement, {}, {.replica = replica}); !done) return done;
  }
  const std::lock_guard lock(mutex_);
  doubted_.erase({shard(partition), loader});
  return {};
}

Result<void> LoaderStore::note_landed(std::uint64_t loader, log::Partition partition, log::Range range) {
  clickhouse::QueryOptions options;
  options.timeout_ms = kNoteWithin.count();
  return client(partition).execute(
      fmt::format("INSERT INTO {} (log_partition, loader, begin, end) VALUES ({}, '{}', {}, {})",
                  name(partition, "landed_plans"), partition, loader_name(loader), range.begin, range.end),
      {}, options);
}

Result<bool> LoaderStore::is_noted_landed(std::uint64_t loader, log::Partition partition, log::Range range) {
  const auto count = client(partition).table(
      fmt::format("SELECT count() FROM {} WHERE log_partition = {} AND loader = '{}' AND begin = {} AND end = {}",
                  name(partition, "landed_plans"), partition, loader_name(loader), range.begin, range.end));
  if (!count) return count.error();
  return count->rows.at(0).at(0) != "0";
}

Result<void> LoaderStore::introduce(std::uint64_t loader) {
  return client(0).execute(
      fmt::format("INSERT INTO {} (loader) VALUES ('{}')", name(0, "loaders"), loader_name(loader)));
}

Result<void> LoaderStore::shut_out_all() {
  const std::string out_of_date = name(0, "loaders_out_of_date");
  const std::string replaced = name(0, "loaders_replaced");
  const auto add = [&](const std::string& target, const std::string& source) {
    return client(0).execute(
        fmt::format("INSERT INTO {0} (loader) SELECT DISTINCT loader FROM {1} WHERE loader NOT IN "
                    "(SELECT loader FROM {0})",
                    target, source));
  };
  // Twice: a loader that changes its name is introduced under the new one and then looks whether the old one is out of
  // date. Either it sees that, or the new name is there when the second begins.
  for (int i = 0; i < 2; ++i) {
    if (auto done = add(out_of_date, name(0, "loaders")); !done) return done;
  }
  return add(replaced, out_of_date);
}

Result<bool> LoaderStore::is_out_of_date(std::uint64_t loader) {
  const auto table = client(0).table(
      fmt::format("SELECT count() FROM {} WHERE loader = '{}'", name(0, "loaders_out_of_date"), loader_name(loader)));
  if (!table) return table.error();
  return table->rows.at(0).at(0) != "0";
}

Result<void> LoaderStore::settled(log::Partition partition) {
  const std::string mark = beside_ ? beside_->mark : "repair";
  for (std::size_t replica = 0; replica < client(partition).replicas(); ++replica) {
    auto table = client(partition).table(
        "SELECT query_id FROM system.processes WHERE (startsWith(Settings['log_comment'], {one:String}) "
        "OR startsWith(Settings['log_comment'], {other:String})) "
        "AND position(Settings['log_comment'], {partition:String}) > 0 LIMIT 1",
        {{"one", mark + "-"}, {"other", beside_ ? mark + "-" : "load-"}, {"partition", fmt::format("p{}.", partition)}},
        {.replica = replica});
    if (!table) return table.error();
    if (!table->rows.empty()) return Error::retry(fmt::format("insert {} still runs in the store", table->rows[0][0]));
  }
  return catch_up(partition);
}

Result<void> LoaderStore::catch_up(log::Partition partition) {
  if (!replicated_) return {};
  auto& shard_client = client(partition);
  const auto table =
      shard_client.table("SELECT count() FROM system.replicas WHERE database = {database:String} AND table = 'events'",
                         {{"database", clickhouse::escape_parameter(shard_client.endpoint().database)}});
  if (!table) return table.error();
  const std::size_t replica = shard_client.replica();
  if (table->rows.at(0).at(0) != "0") {
    auto caught_up = shard_client.execute(fmt::format("SYSTEM SYNC REPLICA {} LIGHTWEIGHT", name(partition, "events")),
                                          {}, {.replica = replica});
    if (!caught_up) return caught_up;
  }
  const std::lock_guard lock(mutex_);
  caught_up_[shard(partition)] = replica;
  return {};
}

Result<std::vector<Row>> LoaderStore::landed(log::Partition partition, log::Range range) {
  const auto body = client(partition).query(
      fmt::format("SELECT {} FROM {} WHERE {} ORDER BY log_offset", kRowColumns, name(partition, "events"), kOfRange),
      of_range(partition, range), reading(partition));
  if (!body) return body.error();
  return parse_rows(*body);
}

Result<std::vector<std::pair<Row, std::uint64_t>>> LoaderStore::landed_hashes(log::Partition partition,
                                                                              log::Range range) {
  const auto body = client(partition).query(
      fmt::format("SELECT {}, {} FROM {} WHERE {}", kRowColumns, kHash, name(partition, "events"), kOfRange),
      of_range(partition, range), reading(partition));
  if (!body) return body.error();
  clickhouse::RowBinaryReader reader(*body);
  std::vector<std::pair<Row, std::uint64_t>> rows;
  while (!reader.at_end()) {
    const auto row = read_row(reader);
    if (!row) return row.error();
    const auto hash = reader.number<std::uint64_t>();
    if (!hash) return Error::retry("the store's answer was cut off");
    rows.emplace_back(*row, *hash);
  }
  return rows;
}

Result<void> LoaderStore::fill_window(log::Partition partition, log::Offset end, std::size_t capacity,
                                      event::IdentityWindow& window) {
  std::vector<Row> newest_first;
  // Backwards in steps, so that a partition without repeats, the common case, reads little more than it keeps.
  std::uint64_t step = std::clamp<std::uint64_t>(capacity, 1'000, 500'000);
  while (end > 0 && newest_first.size() < capacity) {
    const log::Offset begin = end > step ? end - step : 0;
    auto parameters = of_range(partition, {begin, end});
    parameters["limit"] = std::to_string(capacity - newest_first.size());
    const auto body = client(partition).query(fmt::format("SELECT {} FROM {} WHERE {} AND (seq != 0 OR external_id != "
                                                          "'') ORDER BY log_offset DESC LIMIT {{limit:UInt64}}",
                                                          kRowColumns, name(partition, "events"), kOfRange),
                                              parameters, reading(partition));
    if (!body) return body.error();
    const auto rows = parse_rows(*body);
    if (!rows) return rows.error();
    newest_first.insert(newest_first.end(), rows->begin(), rows->end());
    if (rows->size() < step / 2) step *= 4;
    end = begin;
  }
  window.clear();
  for (auto row = newest_first.rbegin(); row != newest_first.rend(); ++row) window.insert(row->identity);
  return {};
}

}  // namespace marquee::ingest
