// A set of row numbers, all operations a word at a time.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace marquee::decision {

class Bitmap {
 public:
  Bitmap() = default;
  explicit Bitmap(std::size_t rows, bool is_full = false) { reset(rows, is_full); }

  /// Keeps its memory where that suffices.
  void reset(std::size_t rows, bool is_full = false) {
    rows_ = rows;
    words_.assign((rows + 63) / 64, is_full ? ~std::uint64_t{0} : 0);
    if (is_full && rows % 64 != 0) words_.back() = (std::uint64_t{1} << (rows % 64)) - 1;
  }
  [[nodiscard]] std::size_t rows() const { return rows_; }
  void set(std::size_t row) { words_[row / 64] |= bit(row); }
  void set(std::size_t begin, std::size_t end) {
    for (; begin < end && begin % 64 != 0; ++begin) set(begin);
    for (; begin + 64 <= end; begin += 64) words_[begin / 64] = ~std::uint64_t{0};
    for (; begin < end; ++begin) set(begin);
  }
  void clear(std::size_t row) { words_[row / 64] &= ~bit(row); }
  [[nodiscard]] bool has(std::size_t row) const { return (words_[row / 64] & bit(row)) != 0; }

  // Both sides have the same number of rows.
  Bitmap& operator|=(const Bitmap& other) {
    for (std::size_t i = 0; i < words_.size(); ++i) words_[i] |= other.words_[i];
    return *this;
  }
  Bitmap& operator&=(const Bitmap& other) {
    for (std::size_t i = 0; i < words_.size(); ++i) words_[i] &= other.words_[i];
    return *this;
  }
  Bitmap& subtract(const Bitmap& other) {
    for (std::size_t i = 0; i < words_.size(); ++i) words_[i] &= ~other.words_[i];
    return *this;
  }
  bool operator==(const Bitmap&) const = default;

  /// Ascending; `visit` may clear the row that it is given.
  template <class Visit>
  void for_each(Visit visit) const {
    for (std::size_t i = 0; i < words_.size(); ++i)
      for (std::uint64_t word = words_[i]; word != 0; word &= word - 1)
        visit(i * 64 + static_cast<std::size_t>(std::countr_zero(word)));
  }
  /// Rows 64 i to 64 i + 63, the first as the lowest bit.
  [[nodiscard]] std::uint64_t word(std::size_t i) const { return words_[i]; }
  /// Those of rows 64 i to 64 i + 63 that are from `begin` to `end`.
  [[nodiscard]] static std::uint64_t word_of(std::size_t i, std::size_t begin, std::size_t end) {
    const std::uint64_t from = begin <= i * 64 ? ~std::uint64_t{0} : ~std::uint64_t{0} << (begin - i * 64);
    return end >= (i + 1) * 64 ? from : from & ((std::uint64_t{1} << (end - i * 64)) - 1);
  }
  /// How many rows from `begin` to `end` are in it.
  [[nodiscard]] std::size_t count(std::size_t begin, std::size_t end) const {
    std::size_t count = 0;
    for (std::size_t i = begin / 64; i * 64 < end; ++i)
      count += static_cast<std::size_t>(std::popcount(words_[i] & word_of(i, begin, end)));
    return count;
  }
  /// The first row at `from` or later; rows() where there is none.
  [[nodiscard]] std::size_t next(std::size_t from) const {
    if (from >= rows_) return rows_;
    std::size_t i = from / 64;
    std::uint64_t word = words_[i] & (~std::uint64_t{0} << (from % 64));
    while (word == 0)
      if (++i == words_.size())
        return rows_;
      else
        word = words_[i];
    return i * 64 + static_cast<std::size_t>(std::countr_zero(word));
  }

 private:
  static std::uint64_t bit(std::size_t row) { return std::uint64_t{1} << (row % 64); }
  std::size_t rows_ = 0;
  std::vector<std::uint64_t> words_;
};

}  // namespace marquee::decision
