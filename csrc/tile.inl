// Kernels on one tile: diagonal, permutation, Pauli rotation, and the way in and out. Compiled once per
// instruction set; no STL and nothing with external linkage, so that no wide instruction can leak through
// the linker into code that runs on other CPUs.
#pragma once

#include "kernel_table.hpp"

namespace qsim {
namespace {

template <class T>
struct Amplitudes {  // one register of a tile
  Vector<T> re, im;
};

/// How the registers of a tile lie in memory. `load_raw` and `store_raw` are for moves that need not know.
struct Split {
  template <class T>
  static QSIM_INLINE Amplitudes<T> load_register(const T* re, const T* im, std::size_t index) {
    return {load(re + index * kNumLanes<T>), load(im + index * kNumLanes<T>)};
  }
  template <class T>
  static QSIM_INLINE void store_register(T* re, T* im, std::size_t index, const Amplitudes<T>& v) {
    store(re + index * kNumLanes<T>, v.re);
    store(im + index * kNumLanes<T>, v.im);
  }
  template <class T>
  static QSIM_INLINE Amplitudes<T> load_raw(const T* re, const T* im, std::size_t index) {
    return load_register(re, im, index);
  }
  template <class T>
  static QSIM_INLINE void store_raw(T* re, T* im, std::size_t index, const Amplitudes<T>& v) {
    store_register(re, im, index, v);
  }
};

constexpr int kPrefetchBytes = 2048;

struct Interleaved {
  template <class T>
  static QSIM_INLINE Amplitudes<T> load_raw(const T* amplitudes, const T*, std::size_t index) {
    constexpr int W = kNumLanes<T>;
    // The hardware's prefetch stops at the end of a page; this one goes on, and past the end it does no harm.
    const char* const ahead = reinterpret_cast<const char*>(amplitudes + 2 * index * W) + kPrefetchBytes;
    __builtin_prefetch(ahead);
    if constexpr (2 * W * sizeof(T) > 64) __builtin_prefetch(ahead + 64);
    return {load(amplitudes + 2 * index * W), load(amplitudes + (2 * index + 1) * W)};
  }
  template <class T>
  static QSIM_INLINE void store_raw(T* amplitudes, T*, std::size_t index, const Amplitudes<T>& v) {
    constexpr int W = kNumLanes<T>;
    store(amplitudes + 2 * index * W, v.re);
    store(amplitudes + (2 * index + 1) * W, v.im);
  }
  template <class T>
  static QSIM_INLINE Amplitudes<T> load_register(const T* amplitudes, const T* none, std::size_t index) {
    const Amplitudes<T> raw = load_raw(amplitudes, none, index);
    Amplitudes<T> v;
    deinterleave(raw.re, raw.im, v.re, v.im);
    return v;
  }
  template <class T>
  static QSIM_INLINE void store_register(T* amplitudes, T* none, std::size_t index, const Amplitudes<T>& v) {
    Amplitudes<T> raw;
    interleave(v.re, v.im, raw.re, raw.im);
    store_raw(amplitudes, none, index, raw);
  }
};

template <class T>
QSIM_INLINE Amplitudes<T> times(const Amplitudes<T>& c, const Amplitudes<T>& v) {
  return {c.re * v.re - c.im * v.im, c.re * v.im + c.im * v.re};
}
template <class T>
QSIM_INLINE Amplitudes<T> permute(const Amplitudes<T>& v, Lanes<T> index) {
  return {permute_lanes(v.re, index), permute_lanes(v.im, index)};
}
template <class T>
QSIM_INLINE Amplitudes<T> exchange(const Amplitudes<T>& v, int pattern, Lanes<T> index) {
  return {exchange_lanes(v.re, pattern, index), exchange_lanes(v.im, pattern, index)};
}

template <class T>
QSIM_INLINE Amplitudes<T> select(Lanes<T> mask, const Amplitudes<T>& a, const Amplitudes<T>& b) {
  return {select<T>(mask, a.re, b.re), select<T>(mask, a.im, b.im)};
}

/// Lanes whose controls match. The others must be kept, not multiplied by one and zero: an infinity or NaN
/// anywhere in the register would reach them.
template <class T>
QSIM_INLINE Lanes<T> controlled_lanes(const TileOp& op) {
  return (lane_numbers<T>() & Integer<T>(op.lane_mask)) == Integer<T>(op.lane_value);
}

/// Coefficient `i` of an instruction: one number for all lanes, or one per lane.
template <class T, bool Uniform>
QSIM_INLINE Amplitudes<T> load_coefficient(const T* coefficients, std::size_t i) {
  if constexpr (Uniform) {
    return {broadcast<T>(coefficients[2 * i]), broadcast<T>(coefficients[2 * i + 1])};
  } else {
    constexpr int W = kNumLanes<T>;
    return {load(coefficients + 2 * W * i), load(coefficients + (2 * i + 1) * W)};
  }
}

/// The bits of `value` spread to the zero bits of `fixed`.
QSIM_INLINE std::uint64_t spread(std::uint64_t value, std::uint64_t fixed) {
  std::uint64_t result = 0;
  for (std::uint64_t bit = 1; value != 0; bit <<= 1) {
    if (fixed & bit) continue;
    if (value & 1) result |= bit;
    value >>= 1;
  }
  return result;
}

/// Call body(base) with the first register of every group first .. last - 1 whose control bits match.
template <class Body>
QSIM_INLINE void for_each_group(const TileOp& op, std::uint64_t first, std::uint64_t last, const Body& body) {
  const std::uint64_t fixed = op.fixed_mask, ctrl_value = op.ctrl_value;
  std::uint64_t base = spread(first, fixed);
  for (std::uint64_t g = first; g < last; ++g) {
    body(base | ctrl_value);
    base = ((base | fixed) + 1) & ~fixed;  // the carry runs through the fixed bits
  }
}

template <class T>
void split(const T* amplitudes, T* re, T* im, std::size_t count) {
  constexpr std::size_t W = kNumLanes<T>;
  for (std::size_t i = 0; i < count; i += W) {
    Vector<T> a, b;
    deinterleave(load(amplitudes + 2 * i), load(amplitudes + 2 * i + W), a, b);
    store(re + i, a);
    store(im + i, b);
  }
}

template <class T>
void join(const T* re, const T* im, T* amplitudes, std::size_t count, const T* next) {
  constexpr std::size_t W = kNumLanes<T>;
  for (std::size_t i = 0; i < count; i += W) {
    Vector<T> a, b;
    interleave(load(re + i), load(im + i), a, b);
    store(amplitudes + 2 * i, a);
    store(amplitudes + 2 * i + W, b);
    if (next != nullptr) {
      __builtin_prefetch(next + 2 * i);
      if constexpr (2 * sizeof(Vector<T>) > 64) __builtin_prefetch(next + 2 * i + W);
    }
  }
}

template <class T>
QSIM_INLINE bool is_one(const Amplitudes<T>& c) {
  for (int lane = 0; lane < kNumLanes<T>; ++lane)
    if (!(c.re[lane] == T(1)) || !(c.im[lane] == T(0))) return false;
  return true;
}

/// Groups times the coefficients of `Members` of their members. Lanes times one are left alone.
template <class T, class Layout, bool Uniform, int Members>
QSIM_INLINE void scale_members(T* re, T* im, const TileOp& op, const Amplitudes<T>* coefficients,
                               const std::uint64_t* member_offsets, std::uint64_t first, std::uint64_t last) {
  Amplitudes<T> c[Members];
  Lanes<T> changes[Members];
  std::uint64_t offsets[Members];
  for (int m = 0; m < Members; ++m) {
    c[m] = coefficients[m];
    changes[m] = (c[m].re != broadcast<T>(1)) | (c[m].im != broadcast<T>(0));
    offsets[m] = member_offsets[m];
  }
  for_each_group(op, first, last, [&](std::uint64_t base) {
#pragma GCC unroll 4
    for (int m = 0; m < Members; ++m) {
      const Amplitudes<T> v = Layout::load_register(re, im, base + offsets[m]);
      const Amplitudes<T> product = times(c[m], v);
      Layout::store_register(re, im, base + offsets[m], Uniform ? product : select<T>(changes[m], product, v));
    }
  });
}

template <class T, class Layout, bool Uniform>
QSIM_INLINE void apply_diagonal_as(T* re, T* im, const TileOp& op, const T* coefficients, std::uint64_t outer,
                                   std::uint64_t first, std::uint64_t last) {
  const int members = 1 << op.num_high;
  Amplitudes<T> c[kMaxGroup];
  std::uint64_t offsets[kMaxGroup];
  int count = 0;
  for (int g = 0; g < members; ++g) {
    const std::size_t i = outer * members + g;
    c[count] = load_coefficient<T, Uniform>(coefficients, i);
    if (is_one(c[count])) continue;
    offsets[count++] = op.offsets[g];
  }
  for (int m = 0; m < count; m += 4) switch (count - m) {
      case 1: scale_members<T, Layout, Uniform, 1>(re, im, op, c + m, offsets + m, first, last); break;
      case 2: scale_members<T, Layout, Uniform, 2>(re, im, op, c + m, offsets + m, first, last); break;
      case 3: scale_members<T, Layout, Uniform, 3>(re, im, op, c + m, offsets + m, first, last); break;
      default: scale_members<T, Layout, Uniform, 4>(re, im, op, c + m, offsets + m, first, last);
    }
}

/// Up to kMaxFastTargets targets: one coefficient register per group member; members times one are left alone.
template <class T, class Layout>
void apply_diagonal(T* re, T* im, const TileOp& op, const T* coefficients, std::uint64_t outer, std::uint64_t first,
                    std::uint64_t last) {
  if (op.uniform) return apply_diagonal_as<T, Layout, true>(re, im, op, coefficients, outer, first, last);
  apply_diagonal_as<T, Layout, false>(re, im, op, coefficients, outer, first, last);
}

/// Any number of targets: `coefficients` points to the table of complex<double> entries.
template <class T>
void apply_diagonal_table(T* re, T* im, const TileOp& op, const T* coefficients, std::uint64_t outer,
                          std::uint64_t first, std::uint64_t last) {
  constexpr int W = kNumLanes<T>;
  const double* table = reinterpret_cast<const double*>(coefficients) + 2 * outer;
  alignas(kAlignment) T ones_re[W], ones_im[W];
  const Lanes<T> controlled = controlled_lanes<T>(op);
  for_each_group(op, first, last, [&](std::uint64_t base) {
    const double* entries = table + 2 * std::size_t(op.register_entry[base]);
    Amplitudes<T> d;
    if constexpr (sizeof(T) == sizeof(double)) {
      if (op.contiguous) {
        deinterleave(load(entries), load(entries + W), d.re, d.im);
        Split::store_register(re, im, base, times(d, Split::load_register(re, im, base)));
        return;
      }
    }
    for (int lane = 0; lane < W; ++lane) {
      const bool on = (std::uint32_t(lane) & op.lane_mask) == op.lane_value;
      const double* entry = entries + 2 * std::size_t(op.lane_entry[lane]);
      ones_re[lane] = on ? T(entry[0]) : T(1);
      ones_im[lane] = on ? T(entry[1]) : T(0);
    }
    d = {load(ones_re), load(ones_im)};
    const Amplitudes<T> v = Split::load_register(re, im, base);
    Split::store_register(re, im, base, select<T>(controlled, times(d, v), v));
  });
}

/// Exchange two registers of each group: X, CX, SWAP and the like on high targets. Moves only.
template <class T, class Layout>
void apply_swap(T* re, T* im, const TileOp& op, const T*, std::uint64_t, std::uint64_t first, std::uint64_t last) {
  const std::uint64_t one = op.offsets[0], other = op.offsets[1];
  for_each_group(op, first, last, [&](std::uint64_t base) {
    const Amplitudes<T> a = Layout::load_raw(re, im, base + one), b = Layout::load_raw(re, im, base + other);
    Layout::store_raw(re, im, base + one, b);
    Layout::store_raw(re, im, base + other, a);
  });
}

/// One register exchanges lanes within itself: X, Y, SWAP, CX on low targets.
template <class T, class Layout, bool Phases>
QSIM_INLINE void permute_within(T* re, T* im, const TileOp& op, const Lanes<T> index, const Amplitudes<T>& phase,
                                std::uint64_t first, std::uint64_t last) {
  const std::uint64_t offset = op.offsets[0];
  const Lanes<T> controlled = controlled_lanes<T>(op);
  for_each_group(op, first, last, [&](std::uint64_t base) {
    Amplitudes<T> v = permute(Layout::load_register(re, im, base + offset), index);
    if constexpr (Phases) v = select<T>(controlled, times(phase, v), v);
    Layout::store_register(re, im, base + offset, v);
  });
}

/// Two registers exchange lanes with each other: a low and a high target, or a high target with phases.
template <class T, class Layout, bool Phases>
QSIM_INLINE void permute_between(T* re, T* im, const TileOp& op, const Lanes<T>* index, const Lanes<T>* mask,
                                 const Amplitudes<T>* phases, std::uint64_t first, std::uint64_t last) {
  const std::uint64_t one = op.offsets[0], other = op.offsets[1];
  const Lanes<T> controlled = controlled_lanes<T>(op);
  const Lanes<T> index_a = index[0], index_b = index[1], mask_a = mask[0], mask_b = mask[1];
  for_each_group(op, first, last, [&](std::uint64_t base) {
    const Amplitudes<T> a = Layout::load_register(re, im, base + one);
    const Amplitudes<T> b = Layout::load_register(re, im, base + other);
    const Amplitudes<T> from_b = permute(b, index_a), from_a = permute(a, index_b);
    Amplitudes<T> now_a = select<T>(mask_a, from_b, a), now_b = select<T>(mask_b, from_a, b);
    if constexpr (Phases) {
      now_a = select<T>(controlled, times(phases[0], now_a), now_a);
      now_b = select<T>(controlled, times(phases[1], now_b), now_b);
    }
    Layout::store_register(re, im, base + one, now_a);
    Layout::store_register(re, im, base + other, now_b);
  });
}

/// Members that stay as they are have been left out of op.offsets. `coefficients`: the moves (each with lane indices and mask), then the phases of every group member if any.
template <class T, class Layout>
void apply_permutation(T* re, T* im, const TileOp& op, const T* coefficients, std::uint64_t, std::uint64_t first,
                       std::uint64_t last) {
  constexpr int W = kNumLanes<T>;
  const int members = op.num_members, num_moves = op.num_moves;
  Move moves[kMaxMoves];
  Lanes<T> index[kMaxMoves], mask[kMaxMoves];
  Amplitudes<T> phases[kMaxGroup];
  for (int m = 0; m < num_moves; ++m, coefficients += 3 * W) {
    __builtin_memcpy(&moves[m], coefficients, sizeof(Move));
    index[m] = load_lanes(coefficients + W);
    mask[m] = load_lanes(coefficients + 2 * W);
  }
  if (op.has_phases)
    for (int g = 0; g < members; ++g) phases[g] = load_coefficient<T, false>(coefficients, g);

  if (members == 1 && num_moves == 1) {
    if (op.has_phases) return permute_within<T, Layout, true>(re, im, op, index[0], phases[0], first, last);
    return permute_within<T, Layout, false>(re, im, op, index[0], phases[0], first, last);
  }
  if (members == 2 && num_moves == 2 && moves[0].source == 1 && moves[1].source == 0) {
    if (op.has_phases) return permute_between<T, Layout, true>(re, im, op, index, mask, phases, first, last);
    return permute_between<T, Layout, false>(re, im, op, index, mask, phases, first, last);
  }
  const Lanes<T> controlled = controlled_lanes<T>(op);
  for_each_group(op, first, last, [&](std::uint64_t base) {
    Amplitudes<T> old[kMaxGroup], now[kMaxGroup];
    for (int g = 0; g < members; ++g) now[g] = old[g] = Layout::load_register(re, im, base + op.offsets[g]);
    for (int m = 0; m < num_moves; ++m) {
      const Move move = moves[m];
      Amplitudes<T> from = old[move.source];
      if (!move.keeps_lanes) from = permute(from, index[m]);
      if (!move.all_lanes) from = select<T>(mask[m], from, now[move.dest]);
      now[move.dest] = from;
    }
    for (int g = 0; g < members; ++g) {
      if (op.has_phases) now[g] = select<T>(controlled, times(phases[g], now[g]), now[g]);
      Layout::store_register(re, im, base + op.offsets[g], now[g]);
    }
  });
}

/// new[b] = c[b] psi[b] + (-1)^popcount(b & z) s[b] psi[b ^ x]; coefficients c, Re s, Im s per lane hold the
/// lanes' share of the sign, `outer` the share of the bits outside the tile.
template <class T, class Layout>
void apply_pauli_rotation(T* re, T* im, const TileOp& op, const T* coefficients, std::uint64_t outer,
                          std::uint64_t first, std::uint64_t last) {
  constexpr int W = kNumLanes<T>;
  const Vector<T> c = load(coefficients);
  const Amplitudes<T> s = {load(coefficients + W), load(coefficients + 2 * W)};
  const std::uint64_t z = op.z_high, x = op.x_high;
  const int x_low = int(op.x_low);
  const Lanes<T> index = lane_numbers<T>() ^ Integer<T>(x_low), controlled = controlled_lanes<T>(op);
  const auto rotate = [&](std::uint64_t at, const Amplitudes<T>& own, const Amplitudes<T>& other) {
    const Lanes<T> signs = sign_bits<T>(Integer<T>(__builtin_parityll(at & z) ^ int(outer)));
    const Amplitudes<T> moved = x_low ? exchange(other, x_low, index) : other;
    const Amplitudes<T> part = times(Amplitudes<T>{flip_sign<T>(s.re, signs), flip_sign<T>(s.im, signs)}, moved);
    const Amplitudes<T> sum = {c * own.re + part.re, c * own.im + part.im};
    Layout::store_register(re, im, at, select<T>(controlled, sum, own));
  };
  if (x == 0) {
    for_each_group(op, first, last, [&](std::uint64_t base) {
      const Amplitudes<T> v = Layout::load_register(re, im, base);
      rotate(base, v, v);
    });
    return;
  }
  for_each_group(op, first, last, [&](std::uint64_t base) {
    const Amplitudes<T> a = Layout::load_register(re, im, base), b = Layout::load_register(re, im, base ^ x);
    rotate(base, a, b);
    rotate(base ^ x, b, a);
  });
}

}  // namespace
}  // namespace qsim
