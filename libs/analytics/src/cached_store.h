// The store, as reports ask it: what it has answered is remembered as long as the data is the same.
#pragma once

#include <cstdint>
#include <future>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "marquee/analytics/reports.h"

namespace marquee::analytics {

/// Of a table's parts of the scope's days: the same as long as the data is, on one machine.
[[nodiscard]] Result<std::string> data_version(clickhouse::Client& store, std::string_view table, const Scope& scope);

/// What an answer is made of: its version is that of the table's parts of the scope's days. So yesterday's answer is
/// known although today's events land. Who asks what is being asked already waits for that. Thread safe.
class CachedStore {
 public:
  /// `can_remember`: the parts that the store lists are all there are, which no cluster's are.
  CachedStore(clickhouse::Client& store, bool can_remember) : store_(store), can_remember_(can_remember) {}

  [[nodiscard]] Result<clickhouse::Table> table(std::string_view source, const Scope& read, const std::string& query,
                                                const clickhouse::Parameters& parameters,
                                                const clickhouse::QueryOptions& options = {});
  /// Whether the parts that the store lists are all there are.
  [[nodiscard]] bool can_remember() const { return can_remember_; }
  /// Without memory.
  [[nodiscard]] clickhouse::Client& store() { return store_; }

 private:
  using Answer = std::shared_ptr<const Result<clickhouse::Table>>;
  struct Entry {
    std::string key;
    std::shared_future<Answer> answer;
    std::size_t bytes = 0;  ///< 0 while it is being asked.
  };
  /// Ends an entry that was being asked: remembers an answer, forgets a failure.
  void settle(const std::string& key, const Answer& answer);
  void forget(std::list<Entry>::iterator entry);

  clickhouse::Client& store_;
  const bool can_remember_;
  std::mutex mutex_;
  std::list<Entry> entries_;  ///< Guarded by mutex_, as are the next two. The last used first.
  std::unordered_map<std::string, std::list<Entry>::iterator> by_key_;
  std::size_t bytes_ = 0;
};

}  // namespace marquee::analytics
