// Hashes and random numbers that are the same everywhere.
#pragma once

#include <cstdint>

namespace marquee::learning {

inline constexpr std::uint64_t kGolden = 0x9E3779B97F4A7C15U;

/// A bijection of 64-bit numbers that leaves no pattern (SplitMix64's finalizer; Steele, Lea, Flood, OOPSLA 2014).
constexpr std::uint64_t mix(std::uint64_t x) {
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9U;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBU;
  return x ^ (x >> 31);
}

/// The n-th random number of a seed: any n at once, in any order.
constexpr std::uint64_t random_bits(std::uint64_t seed, std::uint64_t n) { return mix(mix(seed) + (n + 1) * kGolden); }

/// In [0, 1), of 53 bits.
constexpr double unit(std::uint64_t bits) { return static_cast<double>(bits >> 11) * 0x1.0p-53; }

}  // namespace marquee::learning
