// Random numbers that are the same everywhere: one generator, and the few distributions that the simulation needs.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <vector>

namespace marquee::simulate {

/// A bijection of 64-bit numbers that leaves no pattern (SplitMix64's finalizer; Steele, Lea, Flood, OOPSLA 2014).
constexpr std::uint64_t mix(std::uint64_t x) {
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9U;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBU;
  return x ^ (x >> 31);
}

/// A probability, in 1/2^32.
struct Chance {
  std::uint64_t share = 0;
  static constexpr Chance of(double probability) { return {static_cast<std::uint64_t>(probability * 4294967296.0)}; }
  static constexpr Chance per_million(std::uint64_t n) { return {(n << 32) / 1'000'000}; }
  static constexpr Chance percent(std::uint64_t n) { return {(n << 32) / 100}; }
};

namespace detail {

constexpr double natural_logarithm(double x) {
  double result = 0;
  for (; x < 1; x *= 2) result -= 0.693147180559945309417;
  const double y = (x - 1) / (x + 1);
  double power = y;
  for (int n = 1; n < 60; n += 2, power *= y * y) result += 2 * power / n;
  return result;
}

// Quantiles of the exponential distribution with mean 1, in 1/65536. Made by the compiler: no machine's rounding gets
// in.
inline constexpr auto kExponential = [] {
  std::array<std::uint64_t, 1025> table{};
  for (std::size_t i = 0; i < 1024; ++i)
    table[i] = static_cast<std::uint64_t>(-natural_logarithm(1 - static_cast<double>(i) / 1024) * 65536);
  table[1024] = table[1023] + 2 * 65536;  // The tail ends: its mean beyond the last quantile is 1.
  return table;
}();

}  // namespace detail

/// SplitMix64. Not thread safe.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(mix(seed + 0x9E3779B97F4A7C15U)) {}

  std::uint64_t next() { return mix(state_ += 0x9E3779B97F4A7C15U); }
  /// From 0 to n - 1.
  std::uint32_t below(std::uint32_t n) { return static_cast<std::uint32_t>(((next() >> 32) * n) >> 32); }
  /// From low to high, both included.
  std::uint32_t between(std::uint32_t low, std::uint32_t high) { return low + below(high - low + 1); }
  bool happens(Chance chance) { return (next() >> 32) < chance.share; }
  /// Of the given mean, which is below 2^45.
  std::uint64_t exponential(std::uint64_t mean) {
    const auto bits = next();
    const auto i = static_cast<std::size_t>(bits >> 54);
    const auto part = (bits >> 38) & 0xFFFF;
    const auto low = detail::kExponential[i];
    const auto quantile = low + (((detail::kExponential[i + 1] - low) * part) >> 16);
    return (mean >> 16) * quantile + (((mean & 0xFFFF) * quantile) >> 16);
  }

 private:
  std::uint64_t state_;
};

/// Draws an index by weight.
class Weighted {
 public:
  /// The sum of the weights must be above 0 and below 2^32.
  explicit Weighted(std::span<const std::uint32_t> weights) {
    std::uint32_t sum = 0;
    for (const auto weight : weights) sums_.push_back(sum += weight);
  }
  [[nodiscard]] std::uint32_t draw(Random& random) const {
    const auto at = std::ranges::upper_bound(sums_, random.below(sums_.back()));
    return static_cast<std::uint32_t>(at - sums_.begin());
  }

 private:
  std::vector<std::uint32_t> sums_;
};

}  // namespace marquee::simulate
