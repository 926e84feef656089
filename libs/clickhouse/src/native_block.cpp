#include "marquee/clickhouse/native_block.h"

#include <xxhash.h>

#include <algorithm>
#include <cstring>
#include <stdexcept>

namespace marquee::clickhouse {
namespace {

// Of SerializationLowCardinality: the version of the keys, and the flags beside the width of the indices.
constexpr std::uint64_t kSharedDictionariesWithAdditionalKeys = 1;
constexpr std::uint64_t kHasAdditionalKeys = 1U << 9;

template <class T>
void append_number(std::string& out, T value) {
  char raw[sizeof(T)];
  std::memcpy(raw, &value, sizeof(T));
  out.append(raw, sizeof(T));
}

template <class T>
void append_narrow(std::string& out, const std::vector<std::uint32_t>& values) {
  const std::size_t at = out.size();
  out.resize(at + values.size() * sizeof(T));
  char* to = out.data() + at;
  for (const std::uint32_t value : values) {
    const T narrow = static_cast<T>(value);
    std::memcpy(to, &narrow, sizeof(T));
    to += sizeof(T);
  }
}

std::size_t varint_size(std::uint64_t value) {
  std::size_t size = 1;
  while (value >= 0x80) {
    value >>= 7;
    ++size;
  }
  return size;
}

void append_text(std::string& out, std::string_view text) {
  append_varint(out, text.size());
  out.append(text);
}

}  // namespace

void append_varint(std::string& out, std::uint64_t value) {
  while (value >= 0x80) {
    out.push_back(static_cast<char>(value | 0x80));
    value >>= 7;
  }
  out.push_back(static_cast<char>(value));
}

std::string_view LowCardinalityColumn::Arena::keep(std::string_view text) {
  if (text.empty()) return {};
  if (capacity_ - used_ < text.size()) {
    capacity_ = std::max<std::size_t>(text.size(), 16 * 1024);
    chunks_.push_back(std::make_unique_for_overwrite<char[]>(capacity_));
    used_ = 0;
  }
  char* to = chunks_.back().get() + used_;
  std::memcpy(to, text.data(), text.size());
  used_ += text.size();
  return {to, text.size()};
}

void LowCardinalityColumn::Arena::clear() {
  chunks_.clear();
  used_ = capacity_ = 0;
}

LowCardinalityColumn::LowCardinalityColumn(std::string name, std::string type)
    : Column(std::move(name), std::move(type)), slots_(64) {}

std::uint32_t LowCardinalityColumn::index_of(std::string_view value) {
  const std::uint64_t hash = XXH3_64bits(value.data(), value.size());
  const std::size_t mask = slots_.size() - 1;
  std::size_t slot = hash & mask;
  while (slots_[slot] != 0) {
    const std::uint32_t index = slots_[slot] - 1;
    if (hashes_[index] == hash && keys_[index] == value) return index;
    slot = (slot + 1) & mask;
  }
  const auto index = static_cast<std::uint32_t>(keys_.size());
  slots_[slot] = index + 1;
  keys_.push_back(arena_.keep(value));
  hashes_.push_back(hash);
  key_bytes_ += varint_size(value.size()) + value.size();
  if (keys_.size() * 2 > slots_.size()) grow();
  return index;
}

void LowCardinalityColumn::grow() {
  slots_.assign(slots_.size() * 4, 0);
  const std::size_t mask = slots_.size() - 1;
  for (std::uint32_t index = 0; index < hashes_.size(); ++index) {
    std::size_t slot = hashes_[index] & mask;
    while (slots_[slot] != 0) slot = (slot + 1) & mask;
    slots_[slot] = index + 1;
  }
}

unsigned LowCardinalityColumn::index_width() const {
  if (keys_.size() <= 0x100) return 0;
  return keys_.size() <= 0x10000 ? 1 : 2;
}

std::size_t LowCardinalityColumn::bytes() const { return 32 + key_bytes_ + (indices_.size() << index_width()); }

void LowCardinalityColumn::write(std::string& out) const {
  append_number(out, kSharedDictionariesWithAdditionalKeys);
  if (indices_.empty()) return;
  append_number(out, kHasAdditionalKeys | index_width());
  append_number<std::uint64_t>(out, keys_.size());
  for (const std::string_view key : keys_) append_text(out, key);
  append_number<std::uint64_t>(out, indices_.size());
  switch (index_width()) {
    case 0:
      append_narrow<std::uint8_t>(out, indices_);
      break;
    case 1:
      append_narrow<std::uint16_t>(out, indices_);
      break;
    default:
      append_narrow<std::uint32_t>(out, indices_);
      break;
  }
}

void LowCardinalityColumn::clear() {
  indices_.clear();
  keys_.clear();
  hashes_.clear();
  slots_.assign(64, 0);
  key_bytes_ = 0;
  arena_.clear();
}

std::size_t NativeBlock::bytes() const {
  std::size_t sum = 16;
  for (const auto& column : columns_) sum += column->bytes() + column->name().size() + column->type().size() + 4;
  return sum;
}

std::string NativeBlock::column_names() const {
  std::string names;
  for (const auto& column : columns_) {
    if (!names.empty()) names += ", ";
    names += column->name();
  }
  return names;
}

void NativeBlock::write(std::string& out) const {
  out.reserve(out.size() + bytes());
  append_varint(out, columns_.size());
  append_varint(out, rows());
  for (const auto& column : columns_) {
    if (column->rows() != rows()) throw std::logic_error("column " + column->name() + " is not as long as its block");
    append_text(out, column->name());
    append_text(out, column->type());
    // A block without rows carries no data, not even a dictionary's version.
    if (rows() != 0) column->write(out);
  }
}

void NativeBlock::clear() {
  for (const auto& column : columns_) column->clear();
}

}  // namespace marquee::clickhouse
