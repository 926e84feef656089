// Erasures of users as jobs: who is to be erased, how far that has come, and afterwards what was done.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "marquee/base/result.h"
#include "marquee/catalog/catalog.h"

namespace marquee::catalog {

struct Erasure {
  std::string id;  ///< 16 hexadecimal digits, random.
  std::string site_id;
  std::uint64_t user_key = 0;  ///< Keyed hash of the user's id; 0 once it is done: nothing names the user any more.
  std::int64_t asked_ms = 0;
  std::string asked_by;
  bool is_done = false;
  std::string step;  ///< The one to be done next; empty before the first.
  std::uint64_t parts_done = 0, parts_total = 0;
  std::string plan = "{}";     ///< JSON of who does it; gone once it is done.
  std::string receipt = "{}";  ///< JSON: what was done so far, in numbers.
  std::string error;           ///< Why it does not go on; empty where it does.
  std::int64_t done_ms = 0;    ///< 0 before.
};

/// Storage of all of them, in the catalog's database. Thread safe. Each change is a transaction.
class ErasureBook {
 public:
  /// `catalog` must outlive it.
  explicit ErasureBook(Catalog& catalog) : impl_(*catalog.impl_) {}

  /// Keeps it under a new id, durably.
  [[nodiscard]] Result<void> add(Erasure& erasure);
  /// Newest first, at most `most`.
  [[nodiscard]] Result<std::vector<Erasure>> list(std::size_t most) const;
  [[nodiscard]] Result<std::optional<Erasure>> find(std::string_view id) const;
  /// Those that are not done, in the order in which they were asked for.
  [[nodiscard]] Result<std::vector<Erasure>> open() const;
  /// Keeps how far it has come.
  [[nodiscard]] Result<void> update(const Erasure& erasure);
  /// Ends it: key and plan go, and no byte of them stays in the database's files. Action::retry where another process
  /// reads them just now: it is not done then.
  [[nodiscard]] Result<void> finish(Erasure& erasure);

 private:
  Catalog::Impl& impl_;
};

}  // namespace marquee::catalog
