// Writes blocks in ClickHouse's Native format: column by column, the way the engine keeps them, so that it parses
// nothing. Format: https://clickhouse.com/docs/en/interfaces/formats#native, as sent over HTTP (protocol revision 0).
#pragma once

#include <bit>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace marquee::clickhouse {

static_assert(std::endian::native == std::endian::little,
              "Native numbers are little-endian, and are copied as they stand");

/// Appends an unsigned LEB128 number.
void append_varint(std::string& out, std::uint64_t value);

/// One column of a block. Not thread safe.
class Column {
 public:
  Column(std::string name, std::string type) : name_(std::move(name)), type_(std::move(type)) {}
  virtual ~Column() = default;
  Column(const Column&) = delete;
  Column& operator=(const Column&) = delete;

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] const std::string& type() const { return type_; }
  [[nodiscard]] virtual std::size_t rows() const = 0;
  /// Bytes that write() will append.
  [[nodiscard]] virtual std::size_t bytes() const = 0;
  virtual void write(std::string& out) const = 0;
  /// Forgets the rows, keeps the memory.
  virtual void clear() = 0;

 private:
  std::string name_;
  std::string type_;
};

/// Numbers and what is stored as numbers: [U]Int8..64, Float32/64, Bool and Enum8 (1 byte), Date (std::uint16_t days),
/// DateTime (std::uint32_t seconds), DateTime64 (std::int64_t ticks).
template <class T>
  requires std::is_arithmetic_v<T>
class NumberColumn final : public Column {
 public:
  using Column::Column;
  void append(T value) { values_.push_back(value); }
  [[nodiscard]] std::size_t rows() const override { return values_.size(); }
  [[nodiscard]] std::size_t bytes() const override { return values_.size() * sizeof(T); }
  void write(std::string& out) const override {
    if (!values_.empty()) out.append(reinterpret_cast<const char*>(values_.data()), bytes());
  }
  void clear() override { values_.clear(); }

 private:
  std::vector<T> values_;
};

/// String.
class StringColumn final : public Column {
 public:
  using Column::Column;
  void append(std::string_view value) {
    if (value.size() < 0x80) {
      bytes_.push_back(static_cast<char>(value.size()));
    } else {
      append_varint(bytes_, value.size());
    }
    bytes_.append(value);
    ++rows_;
  }
  [[nodiscard]] std::size_t rows() const override { return rows_; }
  [[nodiscard]] std::size_t bytes() const override { return bytes_.size(); }
  void write(std::string& out) const override { out.append(bytes_); }
  void clear() override {
    bytes_.clear();
    rows_ = 0;
  }

 private:
  std::string bytes_;
  std::size_t rows_ = 0;
};

/// LowCardinality(String): each value once in a dictionary, and an index per row.
class LowCardinalityColumn final : public Column {
 public:
  LowCardinalityColumn(std::string name, std::string type);
  void append(std::string_view value) {
    // Neighbouring events are often of the same session, so the last value is tried before the dictionary.
    if (!indices_.empty()) {
      const std::uint32_t last = indices_.back();
      if (keys_[last] == value) {
        indices_.push_back(last);
        return;
      }
    }
    indices_.push_back(index_of(value));
  }
  /// `rows` times the same value, instead of what there was.
  void fill(std::size_t rows, std::string_view value) {
    clear();
    indices_.assign(rows, index_of(value));
  }
  [[nodiscard]] std::size_t rows() const override { return indices_.size(); }
  [[nodiscard]] std::size_t bytes() const override;
  [[nodiscard]] std::size_t distinct() const { return keys_.size(); }
  void write(std::string& out) const override;
  void clear() override;

 private:
  /// Dictionary text is kept in chunks that never move, so that keys_ may point into them.
  class Arena {
   public:
    std::string_view keep(std::string_view text);
    void clear();

   private:
    std::vector<std::unique_ptr<char[]>> chunks_;
    std::size_t used_ = 0;
    std::size_t capacity_ = 0;
  };

  std::uint32_t index_of(std::string_view value);
  void grow();
  [[nodiscard]] unsigned index_width() const;

  std::vector<std::uint32_t> indices_;
  std::vector<std::string_view> keys_;
  std::vector<std::uint64_t> hashes_;
  std::vector<std::uint32_t> slots_;  ///< Open addressing by hash: index + 1, or 0 where free.
  std::size_t key_bytes_ = 0;
  Arena arena_;
};

/// A block: columns of equal length. Keep one per writer and clear() it between batches. Not thread safe.
class NativeBlock {
 public:
  /// Adds a column; the reference lives as long as the block. `type` must be the ClickHouse type that C writes.
  template <class C>
  C& add(std::string name, std::string type) {
    auto column = std::make_unique<C>(std::move(name), std::move(type));
    C& reference = *column;
    columns_.push_back(std::move(column));
    return reference;
  }

  [[nodiscard]] std::size_t rows() const { return columns_.empty() ? 0 : columns_.front()->rows(); }
  /// About the size of write()'s output.
  [[nodiscard]] std::size_t bytes() const;
  /// "a, b, c": for the INSERT statement.
  [[nodiscard]] std::string column_names() const;
  /// Appends the block to `out`. Every column must hold the same number of rows (checked: std::logic_error is a defect
  /// of the caller, never of data).
  void write(std::string& out) const;
  void clear();

 private:
  std::vector<std::unique_ptr<Column>> columns_;
};

}  // namespace marquee::clickhouse
