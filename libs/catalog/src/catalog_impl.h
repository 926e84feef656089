// The catalog's database: one session, changes as transactions that are recorded, and a snapshot of what is read at
// each request.
#pragma once

#include <fmt/format.h>
#include <soci/soci.h>

#include <algorithm>
#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "marquee/catalog/accounts.h"
#include "marquee/catalog/catalog.h"

namespace marquee::catalog {

inline constexpr std::size_t kIdLength = 16;  ///< Of a saved report, a segment, a notice.

/// Each row as `of_row` reads it.
template <class OfRow>
auto each(const soci::rowset<soci::row>& rows, const OfRow& of_row) {
  std::vector<decltype(of_row(std::declval<const soci::row&>()))> all;
  for (const auto& row : rows) all.push_back(of_row(row));
  return all;
}

/// The row of that id; `columns`: "SELECT ... FROM ...".
template <class OfRow>
auto find_by_id(soci::session& session, std::string_view columns, const std::string& id, const OfRow& of_row) {
  const soci::rowset<soci::row> rows =
      (session.prepare << fmt::format("{} WHERE id = :i", columns), soci::use(id, "i"));
  std::optional<decltype(of_row(std::declval<const soci::row&>()))> found;
  for (const auto& row : rows) found = of_row(row);
  return found;
}

/// Edit::done where `before` is there and of the version that a change was made of; else why it does not hold.
template <class Thing>
Edit expect(const std::optional<Thing>& before, Version version) {
  if (!before) return Edit::missing;
  return version && *version != before->changed_ms ? Edit::changed : Edit::done;
}

[[nodiscard]] std::string kind_name(ItemKind kind);
/// Makes or renames it.
void put_item_row(soci::session& session, const std::string& site_id, ItemKind kind, const Item& item);

struct Snapshot {
  std::map<std::string, Site, std::less<>> sites;
  std::map<std::string, std::pair<std::string, bool>, std::less<>> keys;  // hash -> site, trusted
  std::set<std::string, std::less<>> tokens;
  std::map<std::string, Account, std::less<>> accounts;         // by name
  std::map<std::string, AccountSession, std::less<>> sessions;  // by hash
  std::int64_t definitions_version = 0;                         ///< Another after each change of any campaign or slot.
};

class Catalog::Impl {
 public:
  Impl(const std::string& path, std::shared_ptr<const Clock> clock);

  [[nodiscard]] Result<void> prepare();
  [[nodiscard]] Result<void> follow_changes();
  [[nodiscard]] std::shared_ptr<const Snapshot> snapshot() const {
    const std::lock_guard lock(snapshot_mutex_);
    return snapshot_;
  }
  [[nodiscard]] std::int64_t now_ms() const { return clock_->now().time_since_epoch().count(); }

  // Runs `body` in a transaction with the change recorded, then renews the snapshot.
  template <class F>
  Result<void> change(std::string_view actor, const std::string& what, F&& body) {
    const std::lock_guard lock(mutex_);
    try {
      soci::transaction transaction(session_);
      body(session_);
      record(actor, what);
      transaction.commit();
      refresh();
    } catch (const soci::soci_error& e) {
      return Error::retry(fmt::format("the catalog could not be changed: {}", e.what()));
    }
    return {};
  }

  // Runs `body`, which gives an Edit, in a transaction that counts only where it is done. `what` is looked at after
  // that, so `body` may write it; nothing is recorded where it is empty. Who changes what a snapshot has renews it.
  template <class F>
  Result<Edit> edit(std::string_view actor, const std::string& what, F&& body) {
    const std::lock_guard lock(mutex_);
    try {
      soci::transaction transaction(session_);
      if (const Edit edit = body(session_); edit != Edit::done) return edit;
      if (!what.empty()) record(actor, what);
      transaction.commit();
    } catch (const soci::soci_error& e) {
      return Error::retry(fmt::format("the catalog could not be changed: {}", e.what()));
    }
    return Edit::done;
  }

  template <class F>
  auto read(F&& body) -> decltype(body(std::declval<soci::session&>())) {
    const std::lock_guard lock(mutex_);
    try {
      return body(session_);
    } catch (const soci::soci_error& e) {
      return Error::retry(fmt::format("the catalog could not be read: {}", e.what()));
    }
  }

  /// Brings what was changed into the database's own file and empties its journal, so that no file has what was
  /// overwritten. Action::retry where another process reads the journal just now.
  [[nodiscard]] Result<void> fold_journal();

  [[nodiscard]] Result<void> put_write_key(std::string_view key, std::string_view site_id, bool is_trusted,
                                           std::string_view actor, std::string_view label);

  /// The snapshot, after an edit; where that fails, the next change or follow_changes of another's does it.
  void renew();

  /// Of a change to what is of version `before`: the time, but never the same twice.
  [[nodiscard]] std::int64_t version_after(std::int64_t before) const { return std::max(now_ms(), before + 1); }

 private:
  void record(std::string_view actor, const std::string& what);
  void refresh();
  void read_accounts(Snapshot& next);

  std::shared_ptr<const Clock> clock_;
  std::mutex mutex_;
  soci::session session_;
  long long data_version_ = 0;  ///< Of the database, which other processes' changes raise.
  // Not std::atomic<std::shared_ptr>: that of libstdc++ 12 releases its lock without ordering its reads.
  mutable std::mutex snapshot_mutex_;  ///< Held for the copy of a pointer only.
  std::shared_ptr<const Snapshot> snapshot_ = std::make_shared<const Snapshot>();
};

}  // namespace marquee::catalog
