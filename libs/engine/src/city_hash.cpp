#include "city_hash.h"

#include <bit>
#include <cstring>
#include <utility>

namespace marquee::engine {
namespace {

static_assert(std::endian::native == std::endian::little);

// The algorithm's own constants: primes between 2^63 and 2^64, and the multiplier of its mixing of two words.
constexpr std::uint64_t kPrime0 = 0xc3a5c85c97cb3127;
constexpr std::uint64_t kPrime1 = 0xb492b66fbe98f273;
constexpr std::uint64_t kPrime2 = 0x9ae16a3b2f90404f;
constexpr std::uint64_t kPrime3 = 0xc949d7c7509e6557;
constexpr std::uint64_t kMixer = 0x9ddfea08eb382d69;
constexpr std::size_t kStride = 64;  // Read by one round; a pass is two.

template <class Word>
std::uint64_t word_at(std::string_view data, std::size_t at) {
  Word word = 0;
  std::memcpy(&word, data.data() + at, sizeof(word));
  return word;
}

std::uint64_t at64(std::string_view data, std::size_t at) { return word_at<std::uint64_t>(data, at); }
std::uint64_t at32(std::string_view data, std::size_t at) { return word_at<std::uint32_t>(data, at); }
std::uint64_t right(std::uint64_t word, unsigned bits) { return std::rotr(word, static_cast<int>(bits)); }
std::uint64_t fold(std::uint64_t word) { return word ^ (word >> 47); }

std::uint64_t mix(std::uint64_t low, std::uint64_t high) {
  const std::uint64_t first = fold((low ^ high) * kMixer);
  return fold((high ^ first) * kMixer) * kMixer;
}

/// Of at most 16 bytes.
std::uint64_t hash_of_few(std::string_view data) {
  const std::size_t size = data.size();
  if (size > 8) {
    const std::uint64_t last = at64(data, size - 8);
    return mix(at64(data, 0), right(last + size, static_cast<unsigned>(size))) ^ last;
  }
  if (size >= 4) return mix(size + (at32(data, 0) << 3), at32(data, size - 4));
  if (size == 0) return kPrime2;
  const auto byte = [&](std::size_t at) { return static_cast<std::uint32_t>(static_cast<unsigned char>(data[at])); };
  const std::uint32_t begin = byte(0) + (byte(size / 2) << 8);
  const std::uint32_t end = static_cast<std::uint32_t>(size) + (byte(size - 1) << 2);
  return fold(begin * kPrime2 ^ end * kPrime3) * kPrime2;
}

/// Of 32 bytes, with two seeds.
Hash128 hash_of_32(std::string_view data, std::size_t at, std::uint64_t a, std::uint64_t b) {
  const std::uint64_t last = at64(data, at + 24);
  a += at64(data, at);
  b = right(b + a + last, 21);
  const std::uint64_t first = a;
  a += at64(data, at + 8) + at64(data, at + 16);
  b += right(a, 44);
  return {.low = a + last, .high = b + first};
}

/// Of less than 128 bytes.
Hash128 hash_of_short(std::string_view data, Hash128 seed) {
  const std::size_t size = data.size();
  std::uint64_t a = seed.low;
  std::uint64_t b = seed.high;
  std::uint64_t c = 0;
  std::uint64_t d = 0;
  if (size <= 16) {
    a = fold(a * kPrime1) * kPrime1;
    c = b * kPrime1 + hash_of_few(data);
    d = fold(a + (size >= 8 ? at64(data, 0) : c));
  } else {
    c = mix(at64(data, size - 8) + kPrime1, a);
    d = mix(b + size, c + at64(data, size - 16));
    a += d;
    for (std::size_t at = 0; at + 16 < size; at += 16) {
      a = (a ^ fold(at64(data, at) * kPrime1) * kPrime1) * kPrime1;
      b ^= a;
      c = (c ^ fold(at64(data, at + 8) * kPrime1) * kPrime1) * kPrime1;
      d ^= c;
    }
  }
  a = mix(a, c);
  b = mix(d, b);
  return {.low = a ^ b, .high = mix(b, a)};
}

struct LongState {
  std::uint64_t x, y, z;
  Hash128 v{}, w{};

  void round(std::string_view data, std::size_t at) {
    x = right(x + y + v.low + at64(data, at + 16), 37) * kPrime1;
    y = right(y + v.high + at64(data, at + 48), 42) * kPrime1;
    x ^= w.high;
    y ^= v.low;
    z = right(z ^ w.low, 33);
    v = hash_of_32(data, at, v.high * kPrime1, x + w.low);
    w = hash_of_32(data, at + 32, z + w.high, y);
    std::swap(z, x);
  }
};

Hash128 hash_of_long(std::string_view data, Hash128 seed) {
  LongState s{.x = seed.low, .y = seed.high, .z = data.size() * kPrime1};
  s.v.low = right(s.y ^ kPrime1, 49) * kPrime1 + at64(data, 0);
  s.v.high = right(s.v.low, 42) * kPrime1 + at64(data, 8);
  s.w.low = right(s.y + s.z, 35) * kPrime1 + s.x;
  s.w.high = right(s.x + at64(data, 88), 53) * kPrime1;
  std::size_t at = 0;
  for (; data.size() - at >= 2 * kStride; at += 2 * kStride) {
    s.round(data, at);
    s.round(data, at + kStride);
  }
  s.y += right(s.w.low, 37) * kPrime0 + s.z;
  s.x += right(s.v.low + s.z, 49) * kPrime0;
  // What is left, in steps of 32 from the end; the last step may begin before what is left.
  const std::size_t left = data.size() - at;
  for (std::size_t done = 32; done < left + 32; done += 32) {
    const std::size_t from = data.size() - done;
    s.y = right(s.y - s.x, 42) * kPrime0 + s.v.high;
    s.w.low += at64(data, from + 16);
    s.x = right(s.x, 49) * kPrime0 + s.w.low;
    s.w.low += s.v.low;
    s.v = hash_of_32(data, from, s.v.low, s.v.high);
  }
  const std::uint64_t x = mix(s.x, s.v.low);
  const std::uint64_t y = mix(s.y, s.w.low);
  return {.low = mix(x + s.v.high, s.w.high) + y, .high = mix(x + s.w.high, y + s.v.high)};
}

Hash128 hash_with(std::string_view data, Hash128 seed) {
  return data.size() < 2 * kStride ? hash_of_short(data, seed) : hash_of_long(data, seed);
}

}  // namespace

Hash128 city_hash_128(std::string_view data) {
  const std::size_t size = data.size();
  if (size >= 16) return hash_with(data.substr(16), {.low = at64(data, 0) ^ kPrime3, .high = at64(data, 8)});
  if (size >= 8)
    return hash_with({}, {.low = at64(data, 0) ^ (size * kPrime0), .high = at64(data, size - 8) ^ kPrime1});
  return hash_with(data, {.low = kPrime0, .high = kPrime1});
}

}  // namespace marquee::engine
