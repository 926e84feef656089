// The identities of the last events: what repeats are known by.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

namespace marquee::profile {

/// Of at most `capacity` identities; the one inserted first is forgotten first. Not thread safe.
class RepeatWindow {
 public:
  explicit RepeatWindow(std::size_t capacity);
  /// False where the identity is in the window already.
  [[nodiscard]] bool insert(std::uint64_t identity);
  /// From the one inserted first.
  void for_each(const std::function<void(std::uint64_t)>& visit) const;
  [[nodiscard]] std::size_t size() const { return order_.size(); }
  [[nodiscard]] std::size_t bytes() const { return (order_.capacity() + slots_.capacity()) * sizeof(std::uint64_t); }

 private:
  [[nodiscard]] std::size_t find(std::uint64_t key) const;
  void erase(std::uint64_t key);

  const std::size_t capacity_;
  std::vector<std::uint64_t> order_;  ///< A ring once it is full.
  std::size_t oldest_ = 0;
  std::vector<std::uint64_t> slots_;  ///< Open addressing, linear probing; 0 is free.
};

}  // namespace marquee::profile
