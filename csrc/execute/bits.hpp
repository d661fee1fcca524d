// Bits of amplitude indices.
#pragma once

#include <cstdint>

namespace qsim {

inline int popcount(std::uint64_t x) { return __builtin_popcountll(x); }
inline int parity(std::uint64_t x) { return __builtin_parityll(x); }
/// Position of the highest bit of x > 0.
inline int log2_of(std::uint64_t x) { return 63 - __builtin_clzll(x); }

/// The low bits of `value` spread to the positions of the bits of `mask`.
inline std::uint64_t deposit_bits(std::uint64_t value, std::uint64_t mask) {
  std::uint64_t result = 0;
  for (; mask != 0; mask &= mask - 1, value >>= 1)
    if (value & 1) result |= mask & (~mask + 1);
  return result;
}

/// The bits of `value` at the positions of `mask`, moved together: the inverse of deposit_bits.
inline std::uint64_t extract_bits(std::uint64_t value, std::uint64_t mask) {
  std::uint64_t result = 0;
  for (std::uint64_t bit = 1; mask != 0; mask &= mask - 1, bit <<= 1)
    if (value & mask & (~mask + 1)) result |= bit;
  return result;
}

/// How many bits of `mask` are below `bit`: the place of a qubit inside its tile.
inline int position_of(int bit, std::uint64_t mask) { return popcount(mask & ((std::uint64_t{1} << bit) - 1)); }

}  // namespace qsim
