// SIMD vectors by the compiler's vector extensions (gcc and clang): the part all instruction sets share.
// The including file sets QSIM_VECTOR_BYTES; everything here has internal linkage.
#pragma once

#include <cstddef>
#include <cstdint>

#define QSIM_INLINE inline __attribute__((always_inline))

namespace qsim {
namespace {

template <class T>
struct VectorOf;
template <>
struct VectorOf<float> {
  typedef float type __attribute__((vector_size(QSIM_VECTOR_BYTES)));
  typedef std::int32_t integer;
  typedef std::int32_t lanes_type __attribute__((vector_size(QSIM_VECTOR_BYTES)));
  typedef float half __attribute__((vector_size(QSIM_VECTOR_BYTES / 2)));
};
template <>
struct VectorOf<double> {
  typedef double type __attribute__((vector_size(QSIM_VECTOR_BYTES)));
  typedef std::int64_t integer;
  typedef std::int64_t lanes_type __attribute__((vector_size(QSIM_VECTOR_BYTES)));
};

template <class T>
using Vector = typename VectorOf<T>::type;
template <class T>
using Integer = typename VectorOf<T>::integer;
template <class T>
using Lanes = typename VectorOf<T>::lanes_type;

template <class T>
constexpr int kNumLanes = QSIM_VECTOR_BYTES / int(sizeof(T));

template <class T>
QSIM_INLINE Vector<T> load(const T* p) {  // any alignment
  Vector<T> v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}
template <class T>
QSIM_INLINE void store(T* p, Vector<T> v) {
  __builtin_memcpy(p, &v, sizeof v);
}
template <class T>
QSIM_INLINE Lanes<T> load_lanes(const T* p) {
  Lanes<T> v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}
template <class T>
QSIM_INLINE Vector<T> broadcast(T x) {
  return x - Vector<T>{};  // the subtraction of +0 keeps every value, -0 included
}
template <class T>
QSIM_INLINE Lanes<T> lane_numbers() {
  Lanes<T> v;
  for (int i = 0; i < kNumLanes<T>; ++i) v[i] = i;
  return v;
}
template <class T>
QSIM_INLINE Vector<T> select(Lanes<T> mask, Vector<T> a, Vector<T> b) {
  return (Vector<T>)(((Lanes<T>)a & mask) | ((Lanes<T>)b & ~mask));
}
/// The sign bit in every lane where `odd` is 1.
template <class T>
QSIM_INLINE Lanes<T> sign_bits(Integer<T> odd) {
  Lanes<T> v{};
  v |= Integer<T>(odd) << (8 * int(sizeof(T)) - 1);
  return v;
}
template <class T>
QSIM_INLINE Vector<T> flip_sign(Vector<T> v, Lanes<T> signs) {
  return (Vector<T>)((Lanes<T>)v ^ signs);
}
template <class T>
QSIM_INLINE T sum_lanes(Vector<T> v) {
  T sum = v[0];
  for (int i = 1; i < kNumLanes<T>; ++i) sum += v[i];
  return sum;
}

/// Interleaved registers a, b (re im re im ...) to real and imaginary parts.
template <class V>
QSIM_INLINE void deinterleave(V a, V b, V& re, V& im) {
  constexpr int kLanes = int(sizeof(V) / sizeof(a[0]));
  if constexpr (kLanes == 2) {
    re = __builtin_shufflevector(a, b, 0, 2);
    im = __builtin_shufflevector(a, b, 1, 3);
  } else if constexpr (kLanes == 4) {
    re = __builtin_shufflevector(a, b, 0, 2, 4, 6);
    im = __builtin_shufflevector(a, b, 1, 3, 5, 7);
  } else if constexpr (kLanes == 8) {
    re = __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14);
    im = __builtin_shufflevector(a, b, 1, 3, 5, 7, 9, 11, 13, 15);
  } else {
    re = __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
    im = __builtin_shufflevector(a, b, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31);
  }
}
template <class V>
QSIM_INLINE void interleave(V re, V im, V& a, V& b) {
  constexpr int kLanes = int(sizeof(V) / sizeof(re[0]));
  if constexpr (kLanes == 2) {
    a = __builtin_shufflevector(re, im, 0, 2);
    b = __builtin_shufflevector(re, im, 1, 3);
  } else if constexpr (kLanes == 4) {
    a = __builtin_shufflevector(re, im, 0, 4, 1, 5);
    b = __builtin_shufflevector(re, im, 2, 6, 3, 7);
  } else if constexpr (kLanes == 8) {
    a = __builtin_shufflevector(re, im, 0, 8, 1, 9, 2, 10, 3, 11);
    b = __builtin_shufflevector(re, im, 4, 12, 5, 13, 6, 14, 7, 15);
  } else {
    a = __builtin_shufflevector(re, im, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
    b = __builtin_shufflevector(re, im, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
  }
}

}  // namespace
}  // namespace qsim
