// Kernels of fused programs on a tile of split registers: real rotations of several qubits per load, products of
// one factor per bit, and phases.
#pragma once

#include "tile.inl"

namespace qsim {
namespace {

/// One qubit of a mix: (a, b) <- (a - t b, t a + b), or with `Reflects` (a + t b, t a - b).
template <class T, bool Reflects>
QSIM_INLINE void mix_pair(Vector<T>& a, Vector<T>& b, Vector<T> t) {
  const Vector<T> old = a;
  if constexpr (Reflects) {
    a = old + t * b;
    b = t * old - b;
  } else {
    a = old - t * b;
    b = t * old + b;
  }
}

/// `Reflect` has one bit for each qubit; member g is stored in place g ^ flips.
template <class T, int Num, int Reflect>
void mix_registers(T* re, T* im, const MixOp& op, const T* t, unsigned flips, std::uint64_t first,
                   std::uint64_t last) {
  constexpr int G = 1 << Num;
  std::uint64_t from[G], to[G];
  for (int g = 0; g < G; ++g) {
    from[g] = 0;
    for (int k = 0; k < Num; ++k)
      if ((g >> k) & 1) from[g] |= op.strides[k];
  }
  for (int g = 0; g < G; ++g) to[g] = from[unsigned(g) ^ flips];
  Vector<T> c[Num];
  for (int k = 0; k < Num; ++k) c[k] = broadcast<T>(t[k]);
  constexpr std::uint64_t W = kNumLanes<T>;
  const auto mix = [&](T* base) {
    Vector<T> v[G];
#pragma GCC unroll 8
    for (int g = 0; g < G; ++g) v[g] = load(base + from[g] * W);
#pragma GCC unroll 8
    for (int g = 0; g < G; ++g)
      if (!(g & 1)) mix_pair<T, (Reflect & 1) != 0>(v[g], v[g | 1], c[0]);
    if constexpr (Num > 1)
#pragma GCC unroll 8
      for (int g = 0; g < G; ++g)
        if (!(g & 2)) mix_pair<T, (Reflect & 2) != 0>(v[g], v[g | 2], c[1]);
    if constexpr (Num > 2)
#pragma GCC unroll 8
      for (int g = 0; g < G; ++g)
        if (!(g & 4)) mix_pair<T, (Reflect & 4) != 0>(v[g], v[g | 4], c[2]);
#pragma GCC unroll 8
    for (int g = 0; g < G; ++g) store(base + to[g] * W, v[g]);
  };
  const std::uint64_t fixed = op.fixed_mask;
  std::uint64_t base = spread(first, fixed);
  for (std::uint64_t g = first; g < last; ++g) {
    mix(re + base * W);
    mix(im + base * W);
    base = ((base | fixed) + 1) & ~fixed;  // the carry runs through the fixed bits
  }
}

/// v <- own * v + other * exchange(v) for each of `Num` lane qubits; `coefficients`: own and other of each.
template <class T, int Num>
void mix_lanes(T* re, T* im, const std::uint8_t* patterns, const T* coefficients, std::size_t registers) {
  constexpr int W = kNumLanes<T>;
  Vector<T> own[Num], other[Num];
  Lanes<T> index[Num];
  int pattern[Num];
  for (int k = 0; k < Num; ++k) {
    own[k] = load(coefficients + 2 * k * W);
    other[k] = load(coefficients + (2 * k + 1) * W);
    pattern[k] = patterns[k];
    index[k] = lane_numbers<T>() ^ Integer<T>(pattern[k]);
  }
#pragma GCC unroll 4
  for (std::size_t r = 0; r < registers; ++r) {
    Vector<T> a = load(re + r * W), b = load(im + r * W);
#pragma GCC unroll 4
    for (int k = 0; k < Num; ++k) {
      const Vector<T> x = exchange_lanes(a, pattern[k], index[k]), y = exchange_lanes(b, pattern[k], index[k]);
      a = own[k] * a + other[k] * x;
      b = own[k] * b + other[k] * y;
    }
    store(re + r * W, a);
    store(im + r * W, b);
  }
}

constexpr int kProductRegisterBits = 3;  // factors of a product that stay in registers

/// A product of one factor per bit of the index, as 2^kProductRegisterBits registers times scalars.
template <class T>
struct ProductTable {
  Amplitudes<T> registers[1 << kProductRegisterBits];
  T scalars[2 << (kMaxBlockBits - kProductRegisterBits)];
  int register_bits, scalar_bits;

  /// `factors`: for each bit re, im of its factor at 0, then at 1.
  ProductTable(int bits, const T* constant, const T* factors) {
    constexpr int W = kNumLanes<T>;
    int lane_bits = 0;
    while ((1 << lane_bits) < W) ++lane_bits;
    Amplitudes<T> v = {broadcast<T>(constant[0]), broadcast<T>(constant[1])};
    for (int k = 0; k < lane_bits; ++k, factors += 4) {
      const Lanes<T> ones = -((lane_numbers<T>() >> Integer<T>(k)) & Integer<T>(1));
      const Amplitudes<T> f = {select<T>(ones, broadcast<T>(factors[2]), broadcast<T>(factors[0])),
                               select<T>(ones, broadcast<T>(factors[3]), broadcast<T>(factors[1]))};
      v = times(f, v);
    }
    registers[0] = v;
    const int rest = bits - lane_bits;
    register_bits = rest < kProductRegisterBits ? rest : kProductRegisterBits;
    scalar_bits = rest - register_bits;
    for (int k = 0; k < register_bits; ++k, factors += 4) {
      const Amplitudes<T> zero = {broadcast<T>(factors[0]), broadcast<T>(factors[1])};
      const Amplitudes<T> one = {broadcast<T>(factors[2]), broadcast<T>(factors[3])};
      for (int r = 0; r < (1 << k); ++r) {
        registers[r | (1 << k)] = times(one, registers[r]);
        registers[r] = times(zero, registers[r]);
      }
    }
    scalars[0] = T(1);
    scalars[1] = T(0);
    for (int k = 0; k < scalar_bits; ++k, factors += 4)
      for (int s = 0; s < (1 << k); ++s) {
        const T re = scalars[2 * s], im = scalars[2 * s + 1];
        const int other = s | (1 << k);
        scalars[2 * other] = factors[2] * re - factors[3] * im;
        scalars[2 * other + 1] = factors[2] * im + factors[3] * re;
        scalars[2 * s] = factors[0] * re - factors[1] * im;
        scalars[2 * s + 1] = factors[0] * im + factors[1] * re;
      }
  }
};

/// 2^bits amplitudes, bits >= the lanes': the product of one factor per bit.
template <class T>
void write_product(T* re, T* im, int bits, const T* constant, const T* factors) {
  const ProductTable<T> product(bits, constant, factors);
  const int registers = 1 << product.register_bits;
  for (int s = 0; s < (1 << product.scalar_bits); ++s) {
    const Amplitudes<T> scalar = load_coefficient<T, true>(product.scalars, s);
    for (int r = 0; r < registers; ++r)
      Split::store_register(re, im, std::size_t(s) * registers + r, times(scalar, product.registers[r]));
  }
}

/// 2^bits amplitudes times a product of one factor per bit (null: the constant alone) and a table of real parts,
/// then imaginary parts (may be null).
template <class T>
void multiply_phases(T* re, T* im, int bits, const T* constant, const T* factors, const T* table) {
  constexpr int W = kNumLanes<T>;
  const std::size_t size = std::size_t{1} << bits;
  if (factors == nullptr) {
    const Amplitudes<T> c = load_coefficient<T, true>(constant, 0);
    const bool plain = constant[0] == T(1) && constant[1] == T(0);
    for (std::size_t r = 0; r < size / W; ++r) {
      Amplitudes<T> v = Split::load_register(re, im, r);
      if (table != nullptr) v = times(Split::load_register(table, table + size, r), v);
      if (!plain) v = times(c, v);
      Split::store_register(re, im, r, v);
    }
    return;
  }
  const ProductTable<T> product(bits, constant, factors);
  const int registers = 1 << product.register_bits;
  for (int s = 0; s < (1 << product.scalar_bits); ++s) {
    const Amplitudes<T> scalar = load_coefficient<T, true>(product.scalars, s);
    for (int r = 0; r < registers; ++r) {
      const std::size_t at = std::size_t(s) * registers + r;
      Amplitudes<T> f = times(scalar, product.registers[r]);
      if (table != nullptr) f = times(Split::load_register(table, table + size, at), f);
      Split::store_register(re, im, at, times(f, Split::load_register(re, im, at)));
    }
  }
}

template <class T, int Num, int... Reflect>
constexpr void fill_mixes(FusedKernels<T>& table) {
  ((table.mix_registers[Num - 1][Reflect] = mix_registers<T, Num, Reflect>), ...);
}

template <class T>
constexpr FusedKernels<T> make_fused_kernels() {
  FusedKernels<T> table{};
  fill_mixes<T, 1, 0, 1>(table);
  fill_mixes<T, 2, 0, 1, 2, 3>(table);
  fill_mixes<T, 3, 0, 1, 2, 3, 4, 5, 6, 7>(table);
  table.mix_lanes[0] = mix_lanes<T, 1>;
  table.mix_lanes[1] = mix_lanes<T, 2>;
  table.mix_lanes[2] = mix_lanes<T, 3>;
  table.mix_lanes[3] = mix_lanes<T, 4>;
  table.write_product = write_product<T>;
  table.multiply_phases = multiply_phases<T>;
  return table;
}

}  // namespace
}  // namespace qsim
