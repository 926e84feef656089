// Draws that are the same on any machine: the standard fixes this engine's numbers, though not those of distributions.
#pragma once

#include <cstdint>
#include <random>

namespace marquee::evaluation {

class Random {
 public:
  explicit Random(std::uint64_t seed) : engine_(seed) {}
  /// 0 .. limit - 1. The modulus prefers small numbers by less than limit / 2^64, which nothing here can see.
  std::uint64_t below(std::uint64_t limit) { return engine_() % limit; }

 private:
  std::mt19937_64 engine_;
};

}  // namespace marquee::evaluation
