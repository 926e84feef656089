// The identities of the last events of a partition: what repeats are known by.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

namespace marquee::event {

/// A set of at most `capacity` identities; the one inserted first is forgotten first. Seeing a repeat does not renew
/// it, so that the set is that of the last `capacity` events that were none, and can be read back from where they are
/// kept. Not thread safe.
class IdentityWindow {
 public:
  explicit IdentityWindow(std::size_t capacity);

  /// False where the identity is in the window already.
  bool insert(std::uint64_t identity);
  /// As if it had never been inserted. Takes as long as there are identities.
  void forget(std::uint64_t identity);
  [[nodiscard]] bool contains(std::uint64_t identity) const;
  [[nodiscard]] std::size_t size() const { return order_.size(); }
  /// From the one inserted first.
  void for_each(const std::function<void(std::uint64_t)>& visit) const;
  /// Of memory.
  [[nodiscard]] std::size_t bytes() const { return (order_.capacity() + slots_.capacity()) * sizeof(std::uint64_t); }
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

}  // namespace marquee::event
