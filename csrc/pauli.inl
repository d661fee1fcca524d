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
  for (std::size_t r = 0; r < count / W; ++r) {
    const Amplitudes<T> v = Interleaved::load_register<T>(amplitudes, nullptr, r);
    store(out + r * W, v.re * v.re + v.im * v.im);
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

/// Walsh-Hadamard transform over `Bits` bits of the number of a register, the lowest of them `stride`.
template <class T, int Bits>
QSIM_INLINE void transform(T* values, std::size_t num_registers, std::size_t stride) {
  constexpr std::size_t W = kNumLanes<T>, kMembers = 1 << Bits;
  for (std::size_t high = 0; high < num_registers; high += kMembers * stride)
    for (std::size_t r = high; r < high + stride; ++r) {
      Vector<T> v[kMembers];
#pragma GCC unroll 8
      for (std::size_t m = 0; m < kMembers; ++m) v[m] = load(values + (r + m * stride) * W);
#pragma GCC unroll 3
      for (std::size_t bit = 1; bit < kMembers; bit *= 2)
#pragma GCC unroll 8
        for (std::size_t m = 0; m < kMembers; ++m)
          if (!(m & bit)) {
            const Vector<T> a = v[m], b = v[m | bit];
            v[m] = a + b;
            v[m | bit] = a - b;
          }
#pragma GCC unroll 8
      for (std::size_t m = 0; m < kMembers; ++m) store(values + (r + m * stride) * W, v[m]);
    }
}

template <class T>
void walsh_hadamard(T* values, std::size_t num_registers) {
  std::size_t stride = 1;
  for (; stride * 8 <= num_registers; stride *= 8) transform<T, 3>(values, num_registers, stride);
  if (stride * 4 <= num_registers) return transform<T, 2>(values, num_registers, stride);
  if (stride * 2 <= num_registers) transform<T, 1>(values, num_registers, stride);
}

constexpr std::size_t kWalshHadamardMasks = 4;  // from here on all signed sums at once are cheaper

template <class T>
void add_signed_sums(T* values, std::size_t count, const std::uint64_t* z_masks, std::size_t num_masks,
                     std::uint64_t base, double* sums) {
  constexpr std::size_t W = kNumLanes<T>;
  const bool transformed = num_masks >= kWalshHadamardMasks;
  if (transformed) walsh_hadamard(values, count / W);
  for (std::size_t s = 0; s < num_masks; ++s, sums += W) {
    const std::size_t z = (z_masks[s] & (count - 1)) / W;
    T buffer[W];
    if (!transformed) store(buffer, signed_sum(values, count / W, z));
    const T* const lanes = transformed ? values + z * W : buffer;
    const Lanes<double> signs = sign_bits<double>(__builtin_parityll(z_masks[s] & base));
    for (std::size_t i = 0; i < W; i += kDoubles)
      store(sums + i, load(sums + i) + flip_sign<double>(load_double(lanes + i), signs));
  }
}

template <class T>
void signed_table(const std::uint64_t* z_masks, const double* coefficients, std::size_t num_masks, std::uint64_t base,
                  std::size_t count, T* values) {
  constexpr std::size_t W = kNumLanes<T>;
  const bool transformed = num_masks >= kWalshHadamardMasks;
  for (std::size_t j = 0; j < count; ++j) values[j] = T(0);
  for (std::size_t s = 0; s < num_masks; ++s) {
    const std::uint64_t z = z_masks[s];
    const T c = T(__builtin_parityll(z & base) ? -coefficients[s] : coefficients[s]);
    T lanes[W];
    for (std::size_t i = 0; i < W; ++i) lanes[i] = __builtin_parityll(z & i) ? -c : c;
    const Vector<T> v = load(lanes);
    const std::size_t z_high = (z & (count - 1)) / W;
    if (transformed) {
      store(values + z_high * W, load(values + z_high * W) + v);
      continue;
    }
    for (std::size_t r = 0; r < count / W; ++r)
      store(values + r * W,
            load(values + r * W) + flip_sign<T>(v, sign_bits<T>(__builtin_parity(unsigned(r & z_high)))));
  }
  if (transformed) walsh_hadamard(values, count / W);
}

template <class T, bool Turned>
QSIM_INLINE void add_products(const T* a_re, const T* a_im, std::size_t count, std::size_t x, const T* table, T scale,
                              T* re, T* im) {
  constexpr std::size_t W = kNumLanes<T>;
  const int x_low = int(x % W);
  const std::size_t x_high = x / W;
  const Lanes<T> index = lane_numbers<T>() ^ Integer<T>(x_low);
  const Vector<T> constant = broadcast<T>(scale);
  const auto add = [&](std::size_t r, const Amplitudes<T>& a, Vector<T> f) {
    const Amplitudes<T> old = Split::load_register(re, im, r);
    if constexpr (Turned)
      Split::store_register(re, im, r, Amplitudes<T>{old.re + f * a.im, old.im - f * a.re});
    else
      Split::store_register(re, im, r, Amplitudes<T>{old.re + f * a.re, old.im + f * a.im});
  };
  const auto at = [&](std::size_t r) {
    const Amplitudes<T> a = Split::load_register(a_re, a_im, r ^ x_high);
    return x_low == 0 ? a : exchange(a, x_low, index);
  };
  if (table == nullptr) {
    for (std::size_t r = 0; r < count / W; ++r) add(r, at(r), constant);
  } else {
    for (std::size_t r = 0; r < count / W; ++r) add(r, at(r), load(table + r * W));
  }
}

template <class T>
void add_pauli_products(const T* a_re, const T* a_im, std::size_t count, std::size_t x, const T* table, T scale,
                        bool turned, T* re, T* im) {
  (turned ? add_products<T, true> : add_products<T, false>)(a_re, a_im, count, x, table, scale, re, im);
}

constexpr std::uint64_t kFlipPiece = 64;  // groups of registers whose products are summed in T

/// For each of the `Bits` register bits the products of registers that differ in it.
template <class T, int Bits>
void register_flip_sums(const T* values, std::uint64_t first, std::uint64_t last, const std::uint64_t* bits,
                        double* sums) {
  constexpr int W = kNumLanes<T>, kMembers = 1 << Bits, kPairs = kMembers / 2;
  constexpr int kMaxChains = QSIM_VECTOR_BYTES == 64 && Bits < 4 ? 4 : 2;  // as many as registers allow
  constexpr int kChains = kPairs < kMaxChains ? kPairs : kMaxChains;
  std::uint64_t fixed = 0, offsets[kMembers] = {};
  for (int k = 0; k < Bits; ++k) fixed |= bits[k] / W;
  for (int m = 0; m < kMembers; ++m)
    for (int k = 0; k < Bits; ++k)
      if (m >> k & 1) offsets[m] += bits[k];
  std::uint64_t base = spread(first, fixed);
  while (first < last) {
    const std::uint64_t end = last - first < kFlipPiece ? last : first + kFlipPiece;
    Vector<T> part[Bits][kChains] = {};
    for (; first < end; ++first) {
      Vector<T> v[kMembers];
#pragma GCC unroll 16
      for (int m = 0; m < kMembers; ++m) v[m] = load(values + base * W + offsets[m]);
#pragma GCC unroll 4
      for (int k = 0; k < Bits; ++k)
#pragma GCC unroll 8
        for (int p = 0; p < kPairs; ++p) {
          const int low = p & ((1 << k) - 1), m = 2 * (p - low) + low;
          part[k][p % kChains] += v[m] * v[m | 1 << k];
        }
      base = ((base | fixed) + 1) & ~fixed;
    }
    for (int k = 0; k < Bits; ++k) {
      Vector<T> sum = part[k][0];
      for (int c = 1; c < kChains; ++c) sum += part[k][c];
      store(sums + k * kDoubles, load(sums + k * kDoubles) + 2 * sum_double(sum));
    }
  }
}

/// For each of the `Bits` lane bits the products of lanes that differ in it; `first` and `last` count registers.
template <class T, int Bits>
void lane_flip_sums(const T* values, std::uint64_t first, std::uint64_t last, const std::uint64_t* bits,
                    double* sums) {
  constexpr int W = kNumLanes<T>, kChains = 4;
  int patterns[Bits];
  Lanes<T> index[Bits];
  for (int k = 0; k < Bits; ++k) {
    patterns[k] = int(bits[k]);
    index[k] = lane_numbers<T>() ^ Integer<T>(patterns[k]);
  }
  while (first < last) {
    const std::uint64_t end = last - first < kChains * kFlipPiece ? last : first + kChains * kFlipPiece;
    Vector<T> part[Bits][kChains] = {};
    const auto add_products = [&](std::uint64_t r, int chain) {
      const Vector<T> v = load(values + r * W);
#pragma GCC unroll 4
      for (int k = 0; k < Bits; ++k) part[k][chain] += v * exchange_lanes(v, patterns[k], index[k]);
    };
    for (; first + kChains <= end; first += kChains)
#pragma GCC unroll 4
      for (int c = 0; c < kChains; ++c) add_products(first + c, c);
    for (; first < end; ++first) add_products(first, 0);
    for (int k = 0; k < Bits; ++k) {
      const Vector<T> sum = (part[k][0] + part[k][1]) + (part[k][2] + part[k][3]);
      store(sums + k * kDoubles, load(sums + k * kDoubles) + sum_double(sum));
    }
  }
}

template <class T>
void flip_sums(const T* values, std::uint64_t first, std::uint64_t last, const std::uint64_t* bits, int num_bits,
               double* sums) {
  const bool in_register = bits[0] < kNumLanes<T>;
  switch (num_bits) {
    case 1: return (in_register ? lane_flip_sums<T, 1> : register_flip_sums<T, 1>)(values, first, last, bits, sums);
    case 2: return (in_register ? lane_flip_sums<T, 2> : register_flip_sums<T, 2>)(values, first, last, bits, sums);
    case 3: return (in_register ? lane_flip_sums<T, 3> : register_flip_sums<T, 3>)(values, first, last, bits, sums);
    default: return (in_register ? lane_flip_sums<T, 4> : register_flip_sums<T, 4>)(values, first, last, bits, sums);
  }
}

}  // namespace
}  // namespace qsim
