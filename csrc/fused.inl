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

/// `Reflect` has one bit for each qubit; member g is stored in place g ^ flips. Offsets are few, so that they stay
/// in general registers.
template <class T, int Num, int Reflect>
void mix_registers(T* re, T* im, const MixOp& op, const T* t, unsigned flips, std::uint64_t first,
                   std::uint64_t last) {
  constexpr int G = 1 << Num;
  constexpr std::ptrdiff_t W = kNumLanes<T>;
  std::ptrdiff_t from[3] = {}, to[3] = {}, start = 0;
  for (int k = 0; k < Num; ++k) {
    from[k] = to[k] = std::ptrdiff_t(op.strides[k]) * W;
    if ((flips >> k) & 1) {
      start += to[k];
      to[k] = -to[k];
    }
  }
  const std::ptrdiff_t from_both = from[0] + from[1], to_both = to[0] + to[1];
  Vector<T> c[Num];
  for (int k = 0; k < Num; ++k) c[k] = broadcast<T>(t[k]);
  const auto mix = [&](T* base) {
    const auto place = [](T* p, int g, const std::ptrdiff_t* d, std::ptrdiff_t both) {
      if (g & 4) p += d[2];
      return (g & 3) == 3 ? p + both : (g & 2) ? p + d[1] : (g & 1) ? p + d[0] : p;
    };
    Vector<T> v[G];
#pragma GCC unroll 8
    for (int g = 0; g < G; ++g) v[g] = load(place(base, g, from, from_both));
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
    T* const out = base + start;
#pragma GCC unroll 8
    for (int g = 0; g < G; ++g) store(place(out, g, to, to_both), v[g]);
  };
  const std::uint64_t fixed = op.fixed_mask;
  std::uint64_t base = spread(first, fixed);
  for (std::uint64_t g = first; g < last; ++g) {
    mix(re + base * W);
    mix(im + base * W);
    base = ((base | fixed) + 1) & ~fixed;  // the carry runs through the fixed bits
  }
}

/// Rotations one after the other, each with phases of its group's members before it.
template <class T, int Num>
void mix_with_phases(T* re, T* im, const MixOp& op, const PhasedMix<T>& mix, std::uint64_t first, std::uint64_t last) {
  constexpr int G = 1 << Num;
  constexpr std::uint64_t W = kNumLanes<T>;
  std::uint64_t from[G], to[G];
  for (int g = 0; g < G; ++g) {
    from[g] = 0;
    for (int k = 0; k < Num; ++k)
      if ((g >> k) & 1) from[g] |= op.strides[k] * W;
  }
  for (int g = 0; g < G; ++g) to[g] = from[g ^ mix.flips];
  const std::uint64_t fixed = op.fixed_mask;
  std::uint64_t base = spread(first, fixed);
  for (std::uint64_t i = first; i < last; ++i) {
    T* const re_base = re + base * W;
    T* const im_base = im + base * W;
    Amplitudes<T> v[G];
#pragma GCC unroll 8
    for (int g = 0; g < G; ++g) v[g] = {load(re_base + from[g]), load(im_base + from[g])};
#pragma GCC unroll 3
    for (int k = 0; k < Num; ++k) {
#pragma GCC unroll 8
      for (int g = 0; g < G; ++g)
        if ((mix.phased[k] >> g) & 1) v[g] = times(load_coefficient<T, true>(mix.phases[k], g), v[g]);
      const Vector<T> p = broadcast<T>(mix.matrix[k][0]), q = broadcast<T>(mix.matrix[k][1]);
      const Vector<T> r = broadcast<T>(mix.matrix[k][2]);
#pragma GCC unroll 8
      for (int g = 0; g < G; ++g)
        if (!(g & (1 << k))) {
          const int h = g | (1 << k);
          const Amplitudes<T> a = v[g], b = v[h];
          v[g] = {a.re + p * b.re, a.im + p * b.im};
          v[h] = {q * a.re + r * b.re, q * a.im + r * b.im};
        }
    }
#pragma GCC unroll 8
    for (int g = 0; g < G; ++g) {
      store(re_base + to[g], v[g].re);
      store(im_base + to[g], v[g].im);
    }
    base = ((base | fixed) + 1) & ~fixed;
  }
}

/// v <- own * v + other * exchange(v) for each of `Num` lane qubits; `coefficients`: own and other of each. Where
/// `phased` has a bit, v is first multiplied by that qubit's phases (re, im).
template <class T, int Num>
void mix_lanes(T* re, T* im, const std::uint8_t* patterns, const T* coefficients, unsigned phased, const T* phases,
               std::size_t registers) {
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
  for (std::size_t r = 0; r < registers; ++r) {
    Amplitudes<T> v = Split::load_register(re, im, r);
#pragma GCC unroll 4
    for (int k = 0; k < Num; ++k) {
      if ((phased >> k) & 1) v = times(load_coefficient<T, false>(phases, k), v);
      const Amplitudes<T> x = exchange(v, pattern[k], index[k]);
      v = {own[k] * v.re + other[k] * x.re, own[k] * v.im + other[k] * x.im};
    }
    Split::store_register(re, im, r, v);
  }
}

template <class T>
void permute_tile(const T* from_re, const T* from_im, T* re, T* im, int bits, const AffineMap& map) {
  constexpr std::uint32_t W = kNumLanes<T>;
  int lane_bits = 0;
  while ((1u << lane_bits) < W) ++lane_bits;
  // lanes whose amplitudes come from the same register, relative to that of lane 0
  std::uint32_t sources[W];
  Lanes<T> masks[W], lanes;
  int num_sources = 0;
  for (std::uint32_t lane = 0; lane < W; ++lane) {
    std::uint32_t place = 0;
    for (int i = 0; i < lane_bits; ++i)
      if ((lane >> i) & 1) place ^= map.columns[i];
    lanes[lane] = Integer<T>(place & (W - 1));
    int k = 0;
    while (k < num_sources && sources[k] != place >> lane_bits) ++k;
    if (k == num_sources) {
      sources[num_sources++] = place >> lane_bits;
      masks[k] = Lanes<T>{};
    }
    masks[k][lane] = -1;
  }
  std::uint32_t steps[32];  // what changes in the place when a register's number is counted up
  for (int i = 0; lane_bits + i < bits; ++i) steps[i] = map.columns[lane_bits + i] ^ (i > 0 ? steps[i - 1] : 0);
  const bool keeps = [&] {
    for (int i = lane_bits; i < bits; ++i)
      if (map.columns[i] & (W - 1)) return false;
    for (std::uint32_t lane = 0; lane < W; ++lane)
      if (lanes[lane] != Integer<T>(lane)) return false;
    return (map.constant & (W - 1)) == 0 && num_sources == 1;
  }();
  std::uint32_t place = map.constant;
  const std::size_t registers = (std::size_t{1} << bits) / W;
  for (std::size_t r = 0; r < registers; ++r) {
    const std::uint32_t at = place >> lane_bits;
    if (keeps) {
      Split::store_register(re, im, r, Split::load_register(from_re, from_im, at));
    } else {
      const Lanes<T> index = lanes ^ Integer<T>(place & (W - 1));
      Amplitudes<T> v = permute(Split::load_register(from_re, from_im, at ^ sources[0]), index);
      for (int k = 1; k < num_sources; ++k) {
        const Amplitudes<T> other = permute(Split::load_register(from_re, from_im, at ^ sources[k]), index);
        v = {select<T>(masks[k], other.re, v.re), select<T>(masks[k], other.im, v.im)};
      }
      Split::store_register(re, im, r, v);
    }
    if (r + 1 < registers) place ^= steps[__builtin_ctzll(r + 1)];
  }
}

constexpr int kProductRegisterBits = 3;  // factors of a product that stay in registers

/// A product of one factor per bit of the index, as 2^kProductRegisterBits registers times scalars. `factors`: of each
/// bit re, im of its factor at 0 (phases: one, and not read), then at 1.
template <class T, bool Phases>
struct ProductTable {
  Amplitudes<T> registers[1 << kProductRegisterBits];
  T scalars[2 << (kMaxBlockBits - kProductRegisterBits)];
  int register_bits, scalar_bits;
  bool same_registers = true, same_scalars = true;  // all equal, because no factor differs from one

  ProductTable(int bits, const T* constant, const T* factors) {
    constexpr int W = kNumLanes<T>;
    int lane_bits = 0;
    while ((1 << lane_bits) < W) ++lane_bits;
    Amplitudes<T> v = {broadcast<T>(constant[0]), broadcast<T>(constant[1])};
    for (int k = 0; k < lane_bits; ++k, factors += 4) {
      if (is_trivial(factors)) continue;
      same_registers = false;
      const Lanes<T> ones = -((lane_numbers<T>() >> Integer<T>(k)) & Integer<T>(1));
      const T zero_re = Phases ? T(1) : factors[0], zero_im = Phases ? T(0) : factors[1];
      v = times(Amplitudes<T>{select<T>(ones, broadcast<T>(factors[2]), broadcast<T>(zero_re)),
                              select<T>(ones, broadcast<T>(factors[3]), broadcast<T>(zero_im))},
                v);
    }
    registers[0] = v;
    const int rest = bits - lane_bits;
    register_bits = rest < kProductRegisterBits ? rest : kProductRegisterBits;
    scalar_bits = rest - register_bits;
    for (int k = 0; k < register_bits; ++k, factors += 4) {
      const bool trivial = is_trivial(factors);
      same_registers &= trivial;
      for (int r = 0; r < (1 << k); ++r) {
        registers[r | (1 << k)] = trivial ? registers[r] : times(load_coefficient<T, true>(factors, 1), registers[r]);
        if (!Phases) registers[r] = times(load_coefficient<T, true>(factors, 0), registers[r]);
      }
    }
    scalars[0] = T(1);
    scalars[1] = T(0);
    for (int k = 0; k < scalar_bits; ++k, factors += 4) {
      same_scalars &= is_trivial(factors);
      for (int s = 0; s < (1 << k); ++s) {
        const T re = scalars[2 * s], im = scalars[2 * s + 1];
        const int other = s | (1 << k);
        scalars[2 * other] = factors[2] * re - factors[3] * im;
        scalars[2 * other + 1] = factors[2] * im + factors[3] * re;
        if (Phases) continue;
        scalars[2 * s] = factors[0] * re - factors[1] * im;
        scalars[2 * s + 1] = factors[0] * im + factors[1] * re;
      }
    }
  }

 private:
  static bool is_trivial(const T* f) { return Phases && f[2] == T(1) && f[3] == T(0); }
};

/// 2^bits amplitudes, bits >= the lanes': the product of one factor per bit.
template <class T>
void write_product(T* re, T* im, int bits, const T* constant, const T* factors) {
  const ProductTable<T, false> product(bits, constant, factors);
  const int registers = 1 << product.register_bits;
  for (int s = 0; s < (1 << product.scalar_bits); ++s) {
    const Amplitudes<T> scalar = load_coefficient<T, true>(product.scalars, s);
    for (int r = 0; r < registers; ++r)
      Split::store_register(re, im, std::size_t(s) * registers + r, times(scalar, product.registers[r]));
  }
}

/// v <- table * v, uniform * v, or both. `count` registers.
template <class T, bool Table, bool Uniform>
QSIM_INLINE void scale_registers(T* re, T* im, const T* table_re, const T* table_im, const Amplitudes<T>& uniform,
                                 std::size_t count) {
#pragma GCC unroll 4
  for (std::size_t r = 0; r < count; ++r) {
    Amplitudes<T> f = uniform;
    if constexpr (Table) {
      f = Split::load_register(table_re, table_im, r);
      if constexpr (Uniform) f = times(uniform, f);
    }
    Split::store_register(re, im, r, times(f, Split::load_register(re, im, r)));
  }
}

/// The same with a factor for each of eight registers.
template <class T, bool Table, bool Uniform>
QSIM_INLINE void scale_by_registers(T* re, T* im, const T* table_re, const T* table_im, const Amplitudes<T>& uniform,
                                    const Amplitudes<T>* registers, int count) {
#pragma GCC unroll 4
  for (int r = 0; r < count; ++r) {
    Amplitudes<T> f = registers[r];
    if constexpr (Uniform) f = times(uniform, f);
    if constexpr (Table) f = times(Split::load_register(table_re, table_im, r), f);
    Split::store_register(re, im, r, times(f, Split::load_register(re, im, r)));
  }
}

template <class T, bool Table>
QSIM_INLINE void multiply_product(T* re, T* im, int bits, const T* constant, const T* factors, const T* table) {
  constexpr std::size_t W = kNumLanes<T>;
  const std::size_t size = std::size_t{1} << bits;
  const ProductTable<T, true> product(bits, constant, factors);
  const std::size_t count = std::size_t{1} << product.register_bits;
  for (std::size_t s = 0, at = 0; at < size; ++s, at += count * W) {
    const Amplitudes<T> scalar = load_coefficient<T, true>(product.scalars, s);
    if (product.same_registers)
      scale_registers<T, Table, true>(re + at, im + at, table + at, table + size + at,
                                      times(scalar, product.registers[0]), count);
    else if (product.same_scalars)
      scale_by_registers<T, Table, false>(re + at, im + at, table + at, table + size + at, scalar, product.registers,
                                          int(count));
    else
      scale_by_registers<T, Table, true>(re + at, im + at, table + at, table + size + at, scalar, product.registers,
                                         int(count));
  }
}

/// 2^bits amplitudes times a product of one factor per bit (null: the constant alone) and a table of real parts,
/// then imaginary parts (may be null).
template <class T>
void multiply_phases(T* re, T* im, int bits, const T* constant, const T* factors, const T* table) {
  const std::size_t size = std::size_t{1} << bits, count = size / kNumLanes<T>;
  if (factors != nullptr)
    return table != nullptr ? multiply_product<T, true>(re, im, bits, constant, factors, table)
                            : multiply_product<T, false>(re, im, bits, constant, factors, re);
  const Amplitudes<T> c = load_coefficient<T, true>(constant, 0);
  if (table == nullptr) return scale_registers<T, false, true>(re, im, re, im, c, count);
  if (constant[0] == T(1) && constant[1] == T(0))
    return scale_registers<T, true, false>(re, im, table, table + size, c, count);
  scale_registers<T, true, true>(re, im, table, table + size, c, count);
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
  table.mix_with_phases[0] = mix_with_phases<T, 1>;
  table.mix_with_phases[1] = mix_with_phases<T, 2>;
  table.mix_with_phases[2] = mix_with_phases<T, 3>;
  table.permute_tile = permute_tile<T>;
  table.write_product = write_product<T>;
  table.multiply_phases = multiply_phases<T>;
  return table;
}

}  // namespace
}  // namespace qsim
