// The identities of the last events that landed from one partition: what the loader knows repeats by.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace marquee::ingest {

/// A set of at most `capacity` identities; the one inserted first is forgotten first. Seeing a repeat does not renew
/// it, so that the set is the last `capacity` rows of the events table and can be read back from there. Not thread
/// safe.
class IdentityWindow {
 public:
  explicit IdentityWindow(std::size_t capacity);

  /// False where the identity is in the window already.
  bool insert(std::uint64_t identity);
  /// As if it had never been inserted. Takes as long as there are identities.
  void forget(std::uint64_t identity);
  [[nodiscard]] bool contains(std::uint64_t identity) const;
  [[nodiscard]] std::size_t size() const { return order_.size(); }
  void clear();

 private:
  [[nodiscard]] std::size_t find_slot(std::uint64_t key) const;
  void erase(std::uint64_t key);
  void grow();

  std::size_t capacity_;
  std::vector<std::uint64_t> order_;  ///< A ring once it is full.
  std::size_t oldest_ = 0;
  std::vector<std::uint64_t> slots_;  ///< Open addressing, linear probing; 0 is free.
};

}  // namespace marquee::ingest
