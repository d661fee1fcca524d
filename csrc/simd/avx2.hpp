// AVX2 + FMA: 32-byte vectors.
#pragma once

#include <immintrin.h>

#define QSIM_VECTOR_BYTES 32
#include "vector.hpp"

namespace qsim {
namespace {

/// Lane i of the result is lane index[i] of v.
QSIM_INLINE Vector<float> permute_lanes(Vector<float> v, Lanes<float> index) {
  return (Vector<float>)_mm256_permutevar8x32_ps((__m256)v, (__m256i)index);
}
QSIM_INLINE Vector<double> permute_lanes(Vector<double> v, Lanes<double> index) {
  const Lanes<double> even = index << 1;  // AVX2 permutes 32-bit halves: 2 i and 2 i + 1
  const Lanes<double> halves = even | ((even | 1) << 32);
  return (Vector<double>)_mm256_permutevar8x32_ps((__m256)v, (__m256i)halves);
}
/// Lane i of the result is lane i ^ pattern of v; `index` holds lane_numbers ^ pattern.
template <class V, class I>
QSIM_INLINE V exchange_lanes(V v, int, I index) {
  return permute_lanes(v, index);
}
/// Lanes that are set in what a comparison gave.
QSIM_INLINE int count_true(Lanes<double> mask) {
  return __builtin_popcount(unsigned(_mm256_movemask_pd((__m256d)mask)));
}

}  // namespace
}  // namespace qsim
