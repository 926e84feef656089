// A store that speaks enough of ClickHouse's protocol for the loader, and lies on request: it fails before, in the
// middle of or after an insert. Its one rollup, "toy", counts the events of a day.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "marquee/clickhouse/client.h"
#include "marquee/http/server.h"

namespace marquee::ingest::testing {

/// What becomes of an insert into marquee.events_in.
enum class Fate {
  lands,
  refused_busy,          ///< 503, before anything is written.
  refused_after_memory,  ///< Error 241; nothing landed.
  dropped_before,        ///< The connection breaks; nothing landed.
  dropped_after,         ///< The connection breaks; all of it landed.
  lands_part,            ///< The first half lands in the events table, the rollup gets all; the connection breaks.
  lands_rollup_only,     ///< The connection breaks.
  content_refused,       ///< Error 117, as for a broken value; nothing landed.
  late,                  ///< The connection breaks; the insert is still on its way, and arrives with release_late().
  answered_by_another,   ///< 200, but not the store's: nothing landed.
  error_after_landing,   ///< Error 252; all of it landed.
};

struct StoredRow {
  std::uint32_t partition = 0;
  std::uint64_t offset = 0;
  std::string site_id;
  std::uint64_t session_id = 0;
  std::uint32_t seq = 0;
  std::string external_id;
  std::string day;         ///< Partition id.
  bool is_poison = false;  ///< search_query is "poison": refused for its content wherever it is inserted.
  std::string loader;
};

struct StoredLetter {
  std::string topic;
  std::string reason;
  std::string bytes;
  std::uint64_t bytes_hash = 0;
  unsigned times_written = 0;
};

class FakeStore {
 public:
  FakeStore();
  ~FakeStore();

  [[nodiscard]] std::string url() const;
  /// Fates of the inserts to come, in order; then all land.
  void set_fates(std::vector<Fate> fates);
  /// The same for inserts into events_repair (lands, dropped_before, dropped_after, late).
  void set_repair_fates(std::vector<Fate> fates);
  /// What was late arrives now; how many inserts of it the store took.
  std::size_t release_late();
  /// Statements beginning with `prefix` fail `times` times with 500.
  void fail_statements(std::string prefix, unsigned times);

  [[nodiscard]] std::vector<StoredRow> events() const;
  [[nodiscard]] std::map<std::string, std::int64_t> rollup() const;            ///< By day.
  [[nodiscard]] std::map<std::string, std::int64_t> recounted_rollup() const;  ///< From the events.
  /// By partition and offset.
  [[nodiscard]] std::map<std::pair<std::uint32_t, std::uint64_t>, StoredLetter> letters() const;
  [[nodiscard]] std::set<std::pair<std::uint32_t, std::uint64_t>> dead_letters() const;
  /// From now on it takes what it refused for its content.
  void take_poison();
  [[nodiscard]] std::size_t inserts() const;
  void add_event(StoredRow row);  ///< As if it had landed before, rollup included.
  [[nodiscard]] bool is_replaced(std::uint64_t loader) const;
  void replace_everybody();             ///< As if other loaders had taken over from all that ever inserted.
  void lose_events(std::size_t count);  ///< The last `count` rows of the events table are gone, as after a power loss.

 private:
  void answer(http::Request request, http::Responder responder);
  void take_insert(const std::string& statement, const std::string& body, http::Responder responder);
  /// Why the views would not let the rows pass; empty where they do.
  [[nodiscard]] std::string refusal(const std::vector<StoredRow>& rows, bool is_repair) const;
  void land(const std::vector<StoredRow>& rows, Fate fate, bool is_repair);
  void take_letters(const std::string& body);
  [[nodiscard]] std::string known_letters(const http::Request& request) const;
  http::Response run(const std::string& sql, const http::Request& request);

  mutable std::mutex mutex_;
  std::deque<Fate> fates_;
  std::deque<Fate> repair_fates_;
  std::vector<std::pair<std::vector<StoredRow>, bool>> late_;  ///< Rows, and whether they are a repair's.
  std::map<std::string, unsigned> failing_;
  std::vector<StoredRow> events_;
  std::map<std::string, std::int64_t> rollup_;
  std::set<std::string> landed_plans_;
  std::map<std::string, std::int64_t> fresh_;  ///< The table that is to be swapped in: rows by day.
  std::map<std::pair<std::uint32_t, std::uint64_t>, StoredLetter> letters_;
  bool takes_poison_ = false;
  std::size_t inserts_ = 0;
  std::uint64_t rebuilder_ = 0;          ///< Number of the rebuild lock that is held; 0: none.
  std::string rebuilder_name_;           ///< As it calls itself.
  std::uint64_t highest_rebuilder_ = 0;  ///< Of all that gave a sign of life.
  std::set<std::string> replaced_;       ///< Loaders that were shut out.
  std::unique_ptr<http::Server> server_;
};

}  // namespace marquee::ingest::testing
