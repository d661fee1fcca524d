// Arithmetic without memory: what the best kernel could reach.
#pragma once

#include "simd/vector.hpp"

namespace qsim {
namespace {

/// `rounds` times kPeakChains independent multiply-adds of registers; the result keeps the compiler from leaving
/// them out.
template <class T>
double multiply_add(std::int64_t rounds) {
  Vector<T> sums[kPeakChains];
  for (int k = 0; k < kPeakChains; ++k) sums[k] = broadcast<T>(T(k));
  const Vector<T> factor = broadcast<T>(T(0.5)), term = broadcast<T>(T(1));
  for (std::int64_t r = 0; r < rounds; ++r)
#pragma GCC unroll 16
    for (int k = 0; k < kPeakChains; ++k) sums[k] = sums[k] * factor + term;
  double total = 0;
  for (int k = 0; k < kPeakChains; ++k) total += double(sums[k][0]);
  return total;
}

}  // namespace
}  // namespace qsim
