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
};

class FakeStore {
 public:
  FakeStore();
  ~FakeStore();

  [[nodiscard]] std::string url() const;
  /// Fates of the inserts to come, in order; then all land.
  void set_fates(std::vector<Fate> fates);
  /// The same for inserts into events_repair (lands, dropped_before, dropped_after).
  void set_repair_fates(std::vector<Fate> fates);
  /// Statements beginning with `prefix` fail `times` times with 500.
  void fail_statements(std::string prefix, unsigned times);

  [[nodiscard]] std::vector<StoredRow> events() const;
  [[nodiscard]] std::map<std::string, std::int64_t> rollup() const;            ///< By day.
  [[nodiscard]] std::map<std::string, std::int64_t> recounted_rollup() const;  ///< From the events.
  [[nodiscard]] std::set<std::pair<std::uint32_t, std::uint64_t>> dead_letters() const;
  [[nodiscard]] std::size_t inserts() const;
  void add_event(StoredRow row);        ///< As if it had landed before, rollup included.
  void lose_events(std::size_t count);  ///< The last `count` rows of the events table are gone, as after a power loss.

 private:
  void answer(http::Request request, http::Responder responder);
  void take_insert(const std::string& statement, const std::string& body, http::Responder responder);
  http::Response run(const std::string& sql, const http::Request& request);

  mutable std::mutex mutex_;
  std::deque<Fate> fates_;
  std::deque<Fate> repair_fates_;
  std::map<std::string, unsigned> failing_;
  std::vector<StoredRow> events_;
  std::map<std::string, std::int64_t> rollup_;
  std::pair<std::string, std::int64_t> fresh_;  ///< The _rebuild table.
  std::set<std::pair<std::uint32_t, std::uint64_t>> dead_letters_;
  std::size_t inserts_ = 0;
  std::unique_ptr<http::Server> server_;
};

}  // namespace marquee::ingest::testing
