// Sums of signed products of amplitudes: what expectation values of Pauli strings are made of. Products are formed
// in the state's precision; sums of more than a few hundred of them are in double.
#pragma once

#include "reductions.inl"

namespace qsim {
namespace {

/// Halves of v, or v and nothing, in double precision.
QSIM_INLINE Vector<double> sum_double(Vector<double> v) { return v; }
QSIM_INLINE Vector<double> sum_double(Vector<float> v) {
  float lanes[kNumLanes<float>];
  store(lanes, v);
  return load_double(lanes) + load_double(lanes + kDoubles);
}

template <class T>
void squares(const T* amplitudes, T* out, std::size_t count) {
  constexpr std::size_t W = kNumLanes<T>;
  for (std::size_t i = 0; i < count; i += W) {
    Vector<T> a, b;
    deinterleave(load(amplitudes + 2 * i), load(amplitudes + 2 * i + W), a, b);
    store(out + i, a * a + b * b);
  }
}

template <class T, bool Real, bool Imaginary>
QSIM_INLINE void products(const T* a_re, const T* a_im, const T* b_re, const T* b_im, std::size_t count, std::size_t x,
                          T* re, T* im) {
  constexpr std::size_t W = kNumLanes<T>;
  const int x_low = int(x % W);
  const std::size_t x_high = x / W;
  const Lanes<T> index = lane_numbers<T>() ^ Integer<T>(x_low);
  const auto multiply = [&](std::size_t r, const Amplitudes<T>& b) {
    const Amplitudes<T> a = Split::load_register(a_re, a_im, r);
    if constexpr (Real) store(re + r * W, b.re * a.re + b.im * a.im);
    if constexpr (Imaginary) store(im + r * W, b.re * a.im - b.im * a.re);
  };
  if (x_low == 0) {
    for (std::size_t r = 0; r < count / W; ++r) multiply(r, Split::load_register(b_re, b_im, r ^ x_high));
  } else {
    for (std::size_t r = 0; r < count / W; ++r)
      multiply(r, exchange(Split::load_register(b_re, b_im, r ^ x_high), x_low, index));
  }
}

template <class T>
void pauli_products(const T* a_re, const T* a_im, const T* b_re, const T* b_im, std::size_t count, std::size_t x, T* re,
                    T* im) {
  if (im == nullptr) {
    products<T, true, false>(a_re, a_im, b_re, b_im, count, x, re, im);
  } else if (re == nullptr) {
    products<T, false, true>(a_re, a_im, b_re, b_im, count, x, re, im);
  } else {
    products<T, true, true>(a_re, a_im, b_re, b_im, count, x, re, im);
  }
}

/// sum over registers r of (-1)^popcount(r & z) * values[r]. Register r always goes to sum r mod 4.
template <class T>
QSIM_INLINE Vector<T> signed_sum(const T* values, std::size_t num_registers, std::size_t z) {
  constexpr std::size_t W = kNumLanes<T>;
  if (num_registers < 4) {
    Vector<T> sum = load(values);
    for (std::size_t r = 1; r < num_registers; ++r)
      sum += flip_sign<T>(load(values + r * W), sign_bits<T>(__builtin_parity(unsigned(r & z))));
    return sum;
  }
  Vector<T> sums[4] = {};
  for (std::size_t r = 0; r < num_registers; r += 4) {
    const Lanes<T> signs = sign_bits<T>(__builtin_parity(unsigned(r & z)));
    for (int k = 0; k < 4; ++k) sums[k] += flip_sign<T>(load(values + (r + k) * W), signs);
  }
  if (z & 1) {
    sums[1] = -sums[1];
    sums[3] = -sums[3];
  }
  const Vector<T> even = sums[0] + sums[1], odd = sums[2] + sums[3];
  return z & 2 ? even - odd : even + odd;
}

/// A Walsh-Hadamard transform that follows only the branches some string needs, down to the lanes.
template <class T>
void add_signed_sums(T* values, std::size_t count, const std::uint64_t* z_masks, std::size_t num_strings,
                     std::uint64_t base, double* sums) {
  constexpr std::size_t W = kNumLanes<T>;
  while (((z_masks[0] ^ z_masks[num_strings - 1]) & (count - 1)) >= W) {
    const std::size_t half = count / 2;
    std::size_t even = 0;  // strings without the highest bit come first
    while (even < num_strings && !(z_masks[even] & half)) ++even;
    if (even == num_strings) {
      for (std::size_t i = 0; i < half; i += W) store(values + i, load(values + i) + load(values + i + half));
    } else if (even == 0) {
      for (std::size_t i = 0; i < half; i += W) store(values + i, load(values + i) - load(values + i + half));
    } else {
      for (std::size_t i = 0; i < half; i += W) {
        const Vector<T> a = load(values + i), b = load(values + i + half);
        store(values + i, a + b);
        store(values + i + half, a - b);
      }
      add_signed_sums(values, half, z_masks, even, base, sums);
      values += half;
      z_masks += even;
      sums += even * W;
      num_strings -= even;
    }
    count = half;
  }
  T lanes[W];
  store(lanes, signed_sum(values, count / W, (z_masks[0] & (count - 1)) / W));
  for (std::size_t s = 0; s < num_strings; ++s, sums += W) {
    const Lanes<double> signs = sign_bits<double>(__builtin_parityll(z_masks[s] & base));
    for (std::size_t i = 0; i < W; i += kDoubles)
      store(sums + i, load(sums + i) + flip_sign<double>(load_double(lanes + i), signs));
  }
}

/// For each of the `Bits` register bits the sum of products of registers that differ in it.
template <class T, int Bits>
void register_flip_sums(const T* values, std::uint64_t first, std::uint64_t last, const std::uint64_t* bits,
                        double* sums) {
  constexpr int W = kNumLanes<T>, kMembers = 1 << Bits, kPairs = kMembers / 2;
  constexpr int kChains = kPairs < 4 ? kPairs : QSIM_VECTOR_BYTES == 64 ? 4 : 2;  // as many as registers allow
  constexpr std::uint64_t kPiece = 64;                                            // groups summed in T
  std::uint64_t fixed = 0, offsets[kMembers] = {};
  for (int k = 0; k < Bits; ++k) fixed |= bits[k] / W;
  for (int m = 0; m < kMembers; ++m)
    for (int k = 0; k < Bits; ++k)
      if (m >> k & 1) offsets[m] += bits[k];
  Vector<double> totals[Bits] = {};
  std::uint64_t base = spread(first, fixed);
  while (first < last) {
    const std::uint64_t end = last - first < kPiece ? last : first + kPiece;
    Vector<T> part[Bits][kChains] = {};
    for (; first < end; ++first) {
      Vector<T> v[kMembers];
#pragma GCC unroll 8
      for (int m = 0; m < kMembers; ++m) v[m] = load(values + base * W + offsets[m]);
#pragma GCC unroll 3
      for (int k = 0; k < Bits; ++k)
#pragma GCC unroll 4
        for (int p = 0; p < kPairs; ++p) {
          const int low = p & ((1 << k) - 1), m = 2 * (p - low) + low;
          part[k][p % kChains] += v[m] * v[m | 1 << k];
        }
      base = ((base | fixed) + 1) & ~fixed;
    }
    for (int k = 0; k < Bits; ++k)
      for (int c = 0; c < kChains; ++c) totals[k] += sum_double(part[k][c]);
  }
  for (int k = 0; k < Bits; ++k) sums[k] += 2 * sum_lanes<double>(totals[k]);
}

/// The sum of products of lanes that differ in the bit; `first` and `last` count registers.
template <class T>
void lane_flip_sum(const T* values, std::uint64_t first, std::uint64_t last, int bit, double* sum) {
  constexpr int W = kNumLanes<T>;
  constexpr std::uint64_t kPiece = 512;  // registers summed in T
  const Lanes<T> index = lane_numbers<T>() ^ Integer<T>(bit);
  Vector<double> total = {};
  while (first < last) {
    const std::uint64_t end = last - first < kPiece ? last : first + kPiece;
    Vector<T> parts[4] = {};
    const auto product = [&](std::uint64_t r) {
      const Vector<T> v = load(values + r * W);
      return v * exchange_lanes(v, bit, index);
    };
    for (; first + 4 <= end; first += 4)
      for (int k = 0; k < 4; ++k) parts[k] += product(first + k);
    for (; first < end; ++first) parts[0] += product(first);
    for (int k = 0; k < 4; ++k) total += sum_double(parts[k]);
  }
  *sum += sum_lanes<double>(total);
}

template <class T>
void flip_sums(const T* values, std::uint64_t first, std::uint64_t last, const std::uint64_t* bits, int num_bits,
               double* sums) {
  if (bits[0] < kNumLanes<T>) return lane_flip_sum(values, first, last, int(bits[0]), sums);
  switch (num_bits) {
    case 1: return register_flip_sums<T, 1>(values, first, last, bits, sums);
    case 2: return register_flip_sums<T, 2>(values, first, last, bits, sums);
    default: return register_flip_sums<T, 3>(values, first, last, bits, sums);
  }
}

}  // namespace
}  // namespace qsim
