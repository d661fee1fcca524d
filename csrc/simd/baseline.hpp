// Baseline: 16-byte vectors of whatever the compiler's default target offers (SSE2, NEON).
#pragma once

#define QSIM_VECTOR_BYTES 16
#include "vector.hpp"

namespace qsim {
namespace {

/// Lane i of the result is lane index[i] of v.
QSIM_INLINE Vector<double> permute_lanes(Vector<double> v, Lanes<double> index) {
  const Lanes<double> swapped = index ^ lane_numbers<double>();  // 0: stays, else comes from the other lane
  const Vector<double> other = __builtin_shufflevector(v, v, 1, 0);
  return select<double>(-swapped, other, v);
}
QSIM_INLINE Vector<float> permute_lanes(Vector<float> v, Lanes<float> index) {
  return Vector<float>{v[index[0] & 3], v[index[1] & 3], v[index[2] & 3], v[index[3] & 3]};
}
/// Lane i of the result is lane i ^ pattern of v.
QSIM_INLINE Vector<double> exchange_lanes(Vector<double> v, int pattern, Lanes<double>) {
  return pattern ? __builtin_shufflevector(v, v, 1, 0) : v;
}
QSIM_INLINE Vector<float> exchange_lanes(Vector<float> v, int pattern, Lanes<float>) {
  switch (pattern) {
    case 1: return __builtin_shufflevector(v, v, 1, 0, 3, 2);
    case 2: return __builtin_shufflevector(v, v, 2, 3, 0, 1);
    case 3: return __builtin_shufflevector(v, v, 3, 2, 1, 0);
    default: return v;
  }
}
/// Lanes that are set in what a comparison gave.
QSIM_INLINE int count_true(Lanes<double> mask) {
  return -int(mask[0] + mask[1]);
}

}  // namespace
}  // namespace qsim
