#include "avro_decoder.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <chrono>
#include <cmath>
#include <cstring>
#include <limits>

#include "decoder.h"
#include "json_writer.h"

namespace marquee::feed {
namespace {

using Kind = AvroType::Kind;
using Logical = AvroType::Logical;

constexpr std::int64_t floor_div(std::int64_t value, std::int64_t by) { return value / by - (value % by < 0 ? 1 : 0); }

/// Reads one value after the other; false from any function means that failure() says why.
class AvroReader {
 public:
  AvroReader(std::string_view bytes, std::string& json) : bytes_(bytes), writer_(json, kMaxJsonBytes) {}

  bool read(const AvroType& type, std::size_t depth) {
    if (depth > kMaxDepth) return fail("is nested deeper than {} levels", kMaxDepth);
    if (writer_.is_too_large()) return fail("is more than {} bytes as JSON", kMaxJsonBytes);
    switch (type.kind) {
      case Kind::null:
        writer_.null();
        return true;
      case Kind::boolean:
        return read_boolean();
      case Kind::int_:
      case Kind::long_:
        return read_whole(type);
      case Kind::float_:
        return read_real<float, std::uint32_t>();
      case Kind::double_:
        return read_real<double, std::uint64_t>();
      case Kind::bytes:
      case Kind::fixed:
        return read_bytes(type);
      case Kind::string:
        return read_text();
      case Kind::enum_:
        return read_enum(type);
      case Kind::union_:
        return read_union(type, depth);
      case Kind::record:
        return read_record(type, depth);
      case Kind::array:
      case Kind::map:
        return read_blocks(type, depth);
    }
    return fail("has a type that is none");
  }

  [[nodiscard]] bool is_at_end() const { return at_ == bytes_.size(); }
  [[nodiscard]] std::size_t at() const { return at_; }
  [[nodiscard]] const std::string& failure() const { return failure_; }

 private:
  template <class... Arguments>
  bool fail(fmt::format_string<Arguments...> why, Arguments&&... arguments) {
    if (failure_.empty()) failure_ = fmt::format(why, std::forward<Arguments>(arguments)...);
    return false;
  }

  bool read_long(std::int64_t& value) {
    std::uint64_t bits = 0;
    for (unsigned shift = 0; shift < 70; shift += 7) {
      if (at_ == bytes_.size()) return fail("ends within a number");
      const auto byte = static_cast<unsigned char>(bytes_[at_++]);
      if (shift == 63 && byte > 1) break;
      bits |= static_cast<std::uint64_t>(byte & 0x7FU) << shift;
      if ((byte & 0x80U) != 0) continue;
      value = static_cast<std::int64_t>(bits >> 1U) ^ -static_cast<std::int64_t>(bits & 1U);
      return true;
    }
    return fail("has a number of more than 64 bits");
  }

  bool take(std::size_t size, std::string_view& taken) {
    if (size > bytes_.size() - at_) return fail("ends within a value of {} bytes", size);
    taken = bytes_.substr(at_, size);
    at_ += size;
    return true;
  }

  bool take_counted(std::string_view& taken) {
    std::int64_t size = 0;
    if (!read_long(size)) return false;
    if (size < 0) return fail("has a value of {} bytes", size);
    return take(static_cast<std::size_t>(size), taken);
  }

  bool read_boolean() {
    std::string_view byte;
    if (!take(1, byte)) return false;
    if (byte[0] != 0 && byte[0] != 1) return fail("has a boolean that is neither 0 nor 1");
    writer_.boolean(byte[0] == 1);
    return true;
  }

  bool read_whole(const AvroType& type) {
    std::int64_t value = 0;
    if (!read_long(value)) return false;
    if (type.kind == Kind::int_ &&
        (value < std::numeric_limits<std::int32_t>::min() || value > std::numeric_limits<std::int32_t>::max()))
      return fail("has an int of more than 32 bits");
    switch (type.logical) {
      case Logical::date:
        write_date(value);
        return true;
      case Logical::time_micros:
      case Logical::timestamp_micros:
        writer_.whole(floor_div(value, 1'000));
        return true;
      case Logical::timestamp_nanos:
        writer_.whole(floor_div(value, 1'000'000));
        return true;
      default:
        writer_.whole(value);
        return true;
    }
  }

  void write_date(std::int64_t days) {
    constexpr std::int64_t kFirst = -719'162;  // 0001-01-01
    constexpr std::int64_t kLast = 2'932'896;  // 9999-12-31
    if (days < kFirst || days > kLast) return writer_.whole(days);
    const std::chrono::year_month_day date{std::chrono::sys_days{std::chrono::days{days}}};
    writer_.text(fmt::format("{:04}-{:02}-{:02}", static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                             static_cast<unsigned>(date.day())));
  }

  template <class Real, class Bits>
  bool read_real() {
    std::string_view taken;
    if (!take(sizeof(Real), taken)) return false;
    Bits bits = 0;
    for (std::size_t i = 0; i < sizeof(Bits); ++i)
      bits |= static_cast<Bits>(static_cast<unsigned char>(taken[i])) << (8 * i);
    writer_.real(std::bit_cast<Real>(bits));
    return true;
  }

  bool read_bytes(const AvroType& type) {
    std::string_view taken;
    if (!(type.kind == Kind::fixed ? take(type.size, taken) : take_counted(taken))) return false;
    if (type.logical == Logical::decimal) {
      write_decimal(taken, type.scale);
    } else if (type.logical == Logical::uuid) {
      write_uuid(taken);
    } else {
      writer_.bytes(taken);
    }
    return true;
  }

  /// Two's complement, the greatest byte first. Up to 16 bytes every digit is written; beyond, what a double holds.
  void write_decimal(std::string_view bytes, std::uint32_t scale) {
    if (bytes.empty()) return writer_.null();
    const bool is_negative = (static_cast<unsigned char>(bytes[0]) & 0x80U) != 0;
    if (bytes.size() > 16) {
      double value = is_negative ? -1 : 0;
      for (const char byte : bytes) value = value * 256 + static_cast<unsigned char>(byte);
      return writer_.real(value / std::pow(10.0, scale));
    }
    __extension__ using Wide = unsigned __int128;
    Wide value = is_negative ? ~Wide{0} : Wide{0};
    for (const char byte : bytes) value = value << 8U | static_cast<unsigned char>(byte);
    if (is_negative) value = ~value + 1;
    std::string digits;
    for (; value != 0; value /= 10) digits += static_cast<char>('0' + static_cast<int>(value % 10));
    while (digits.size() <= scale) digits += '0';
    if (scale > 0) digits.insert(scale, 1, '.');
    if (is_negative) digits += '-';
    std::ranges::reverse(digits);
    // Readers of JSON take whole numbers of at most 64 bits.
    if (scale == 0 && digits.size() > 18) digits += ".0";
    writer_.raw(digits);
  }

  void write_uuid(std::string_view bytes) {
    std::string text;
    for (std::size_t i = 0; i < bytes.size(); ++i)
      text += fmt::format("{}{:02x}", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "",
                          static_cast<unsigned char>(bytes[i]));
    writer_.text(text);
  }

  bool read_text() {
    std::string_view taken;
    if (!take_counted(taken)) return false;
    writer_.text(taken);
    return true;
  }

  bool read_enum(const AvroType& type) {
    std::int64_t index = 0;
    if (!read_long(index)) return false;
    if (index < 0 || static_cast<std::uint64_t>(index) >= type.symbols.size())
      return fail("has symbol {} of an enum of {}", index, type.symbols.size());
    writer_.text(type.symbols[static_cast<std::size_t>(index)]);
    return true;
  }

  bool read_union(const AvroType& type, std::size_t depth) {
    std::int64_t index = 0;
    if (!read_long(index)) return false;
    if (index < 0 || static_cast<std::uint64_t>(index) >= type.branches.size())
      return fail("has branch {} of a union of {}", index, type.branches.size());
    return read(*type.branches[static_cast<std::size_t>(index)], depth + 1);
  }

  bool read_record(const AvroType& type, std::size_t depth) {
    writer_.begin('{');
    for (const auto& field : type.fields) {
      writer_.name(field.name);
      if (!read(*field.type, depth + 1)) return false;
    }
    writer_.end('}');
    return true;
  }

  /// Items come in blocks: their number, then they; a negative number is followed by the block's size in bytes.
  bool read_blocks(const AvroType& type, std::size_t depth) {
    const bool is_map = type.kind == Kind::map;
    writer_.begin(is_map ? '{' : '[');
    for (;;) {
      std::int64_t count = 0;
      std::int64_t ignored_size = 0;
      if (!read_long(count)) return false;
      if (count == 0) break;
      if (count < 0 && !read_long(ignored_size)) return false;
      if (count == std::numeric_limits<std::int64_t>::min()) return fail("has a block of too many items");
      // Items may take no bytes, so their number is not bounded by what is left; each adds to the JSON, which is.
      for (std::int64_t left = std::abs(count); left > 0; --left) {
        std::string_view name;
        if (is_map && !take_counted(name)) return false;
        if (is_map) {
          writer_.name(name);
        } else {
          writer_.item();
        }
        if (!read(*type.branches[0], depth + 1)) return false;
      }
    }
    writer_.end(is_map ? '}' : ']');
    return true;
  }

  const std::string_view bytes_;
  JsonWriter writer_;
  std::size_t at_ = 0;
  std::string failure_;
};

}  // namespace

Result<void> decode_avro(const AvroSchema& schema, std::string_view bytes, std::string& json) {
  AvroReader reader(bytes, json);
  if (!reader.read(schema.root(), 0))
    return Error::reject(fmt::format("the Avro message {} (at byte {})", reader.failure(), reader.at()));
  if (!reader.is_at_end())
    return Error::reject(
        fmt::format("the Avro message goes on after its value (at byte {} of {})", reader.at(), bytes.size()));
  return {};
}

}  // namespace marquee::feed
