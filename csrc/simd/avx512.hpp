// AVX-512 (F, DQ, VL, BW): 64-byte vectors.
#pragma once

#include <immintrin.h>

#define QSIM_VECTOR_BYTES 64
#include "vector.hpp"

namespace qsim {
namespace {

/// Lane i of the result is lane index[i] of v.
QSIM_INLINE Vector<float> permute_lanes(Vector<float> v, Lanes<float> index) {
  return (Vector<float>)_mm512_permutexvar_ps((__m512i)index, (__m512)v);
}
QSIM_INLINE Vector<double> permute_lanes(Vector<double> v, Lanes<double> index) {
  return (Vector<double>)_mm512_permutexvar_pd((__m512i)index, (__m512d)v);
}
/// Lane i of the result is lane i ^ pattern of v; `index` holds lane_numbers ^ pattern.
template <class V, class I>
QSIM_INLINE V exchange_lanes(V v, int, I index) {
  return permute_lanes(v, index);
}
/// Lanes that are set in what a comparison gave.
QSIM_INLINE int count_true(Lanes<double> mask) {
  return __builtin_popcount(_mm512_movepi64_mask((__m512i)mask));
}

}  // namespace
}  // namespace qsim
