// Values of a fixed size by 64-bit key, which readers copy out without ever waiting for a writer.
#pragma once

#include <array>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <memory>
#include <optional>

namespace marquee::profile {

inline constexpr std::size_t kSlabWords = 30;
using SlabValue = std::array<std::uint64_t, kSlabWords>;

/// One writer at a time (the caller sees to it), any number of readers. A value is written into a spare slab, to which
/// the index then points, so that a writer that is stopped in the middle holds nobody up: a reader tries again only
/// where a writer has finished something meanwhile. Linear probing; a removal moves later entries back over the hole
/// and leaves each of them in one of its two places at any moment. The values are in a list by their last change.
class SlabTable {
 public:
  /// All memory is reserved at once, and resident as it is used.
  explicit SlabTable(std::size_t capacity);
  SlabTable(const SlabTable&) = delete;
  SlabTable& operator=(const SlabTable&) = delete;

  /// Copies the value out; false where there is none. Any thread, any time.
  [[nodiscard]] bool read(std::uint64_t key, SlabValue& value) const;

  // What follows is the writer's.
  /// The value where it is kept, until the next change; null where there is none.
  [[nodiscard]] const SlabValue* get(std::uint64_t key) const;
  /// Sets the value and puts it last in the list. A new key needs room: size() < capacity().
  void put(std::uint64_t key, const SlabValue& value);
  /// False where there was none. Nothing of it stays in memory.
  bool erase(std::uint64_t key);
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] std::size_t capacity() const { return capacity_; }
  /// Of what was changed before all others.
  [[nodiscard]] std::optional<std::uint64_t> first_key() const;
  void for_each(const std::function<void(std::uint64_t key, const SlabValue&)>& visit) const;
  /// What is resident when `size` values are kept: slabs, list and index.
  [[nodiscard]] std::size_t bytes() const;

 private:
  struct alignas(64) Slab {
    std::uint64_t key;
    std::uint64_t sequence;  ///< Odd while it is written.
    SlabValue value;
  };
  static_assert(sizeof(Slab) == 256);
  struct Link {
    std::uint32_t before, after;
  };
  struct Free {
    void operator()(void* memory) const { std::free(memory); }
  };
  template <class T>
  using Memory = std::unique_ptr<T[], Free>;
  static constexpr std::size_t kSpares = 8;
  enum class Found : std::uint8_t { yes, other, changed };

  [[nodiscard]] std::size_t home(std::uint64_t key) const;
  [[nodiscard]] Found copy(std::uint32_t slab, std::uint64_t key, SlabValue& value) const;
  [[nodiscard]] std::size_t find(std::uint64_t key) const;
  [[nodiscard]] std::uint32_t end() const { return static_cast<std::uint32_t>(capacity_ + kSpares); }
  void write(std::uint32_t slab, std::uint64_t key, const SlabValue& value);
  [[nodiscard]] std::uint32_t take_spare();
  void retire(std::uint32_t slab);
  void link_last(std::uint32_t slab);
  void unlink(std::uint32_t slab);
  void publish(std::size_t bucket, std::uint32_t entry);
  void finish();

  const std::size_t capacity_;
  const unsigned index_bits_;
  std::size_t size_ = 0;
  std::uint32_t used_ = 0;  ///< Slabs that were ever used.
  Memory<Slab> slabs_;
  Memory<Link> links_;           ///< Of each slab; the last is the list's end.
  Memory<std::uint32_t> index_;  ///< Tag and slab + 1; 0: free.
  std::uint64_t changes_ = 0;    ///< Finished; readers that found nothing look whether it is the same.
  // Spare slabs, wiped, in the order in which they were retired, linked by Link::after.
  std::uint32_t first_spare_ = 0, last_spare_ = 0;
  std::size_t spares_ = 0;
};

}  // namespace marquee::profile
