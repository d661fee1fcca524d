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

template <class T>
QSIM_INLINE Amplitudes<T> load_register(const T* re, const T* im, std::size_t index) {
  return {load(re + index * kNumLanes<T>), load(im + index * kNumLanes<T>)};
}
template <class T>
QSIM_INLINE void store_register(T* re, T* im, std::size_t index, const Amplitudes<T>& v) {
  store(re + index * kNumLanes<T>, v.re);
  store(im + index * kNumLanes<T>, v.im);
}
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

/// Call body(base) with the first register of every group whose control bits match.
template <class Body>
QSIM_INLINE void for_each_group(const TileOp& op, const Body& body) {
  const std::uint32_t fixed = op.fixed_mask, ctrl_value = op.ctrl_value, num_groups = op.num_groups;
  std::uint32_t base = 0;
  for (std::uint32_t g = 0; g < num_groups; ++g) {
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
void join(const T* re, const T* im, T* amplitudes, std::size_t count) {
  constexpr std::size_t W = kNumLanes<T>;
  for (std::size_t i = 0; i < count; i += W) {
    Vector<T> a, b;
    interleave(load(re + i), load(im + i), a, b);
    store(amplitudes + 2 * i, a);
    store(amplitudes + 2 * i + W, b);
  }
}

template <class T>
QSIM_INLINE bool is_one(const Amplitudes<T>& c) {
  for (int lane = 0; lane < kNumLanes<T>; ++lane)
    if (!(c.re[lane] == T(1)) || !(c.im[lane] == T(0))) return false;
  return true;
}

/// Up to kMaxFastTargets targets: one coefficient register per group member; members times one are left alone.
template <class T>
void apply_diagonal(T* re, T* im, const TileOp& op, const T* coefficients, std::uint64_t outer) {
  const int members = 1 << op.num_high;
  for (int g = 0; g < members; ++g) {
    const std::size_t i = outer * members + g;
    Amplitudes<T> c;
    if (op.uniform) {
      if (coefficients[2 * i] == T(1) && coefficients[2 * i + 1] == T(0)) continue;
      c = load_coefficient<T, true>(coefficients, i);
    } else {
      c = load_coefficient<T, false>(coefficients, i);
      if (is_one(c)) continue;
    }
    const std::uint32_t offset = op.offsets[g];
    for_each_group(op, [&](std::uint32_t base) {
      store_register(re, im, base + offset, times(c, load_register(re, im, base + offset)));
    });
  }
}

/// Any number of targets: `coefficients` points to the table of complex<double> entries.
template <class T>
void apply_diagonal_table(T* re, T* im, const TileOp& op, const T* coefficients, std::uint64_t outer) {
  constexpr int W = kNumLanes<T>;
  const double* table = reinterpret_cast<const double*>(coefficients) + 2 * outer;
  alignas(kAlignment) T ones_re[W], ones_im[W];
  for_each_group(op, [&](std::uint32_t base) {
    const double* entries = table + 2 * std::size_t(op.register_entry[base]);
    Amplitudes<T> d;
    if constexpr (sizeof(T) == sizeof(double)) {
      if (op.contiguous) {
        deinterleave(load(entries), load(entries + W), d.re, d.im);
        store_register(re, im, base, times(d, load_register(re, im, base)));
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
    store_register(re, im, base, times(d, load_register(re, im, base)));
  });
}

/// Exchange two registers of each group: X, CX, SWAP and the like on high targets. Moves only.
template <class T>
void apply_swap(T* re, T* im, const TileOp& op, const T*, std::uint64_t) {
  const std::uint32_t first = op.offsets[0], second = op.offsets[1];
  for_each_group(op, [&](std::uint32_t base) {
    const Amplitudes<T> a = load_register(re, im, base + first), b = load_register(re, im, base + second);
    store_register(re, im, base + first, b);
    store_register(re, im, base + second, a);
  });
}

/// `coefficients`: the moves (each with lane indices and mask), then the phases of every group member if any.
template <class T>
void apply_permutation(T* re, T* im, const TileOp& op, const T* coefficients, std::uint64_t) {
  constexpr int W = kNumLanes<T>;
  constexpr int kMoveSize = 3 * W;  // head, indices, mask; each one register wide
  const int members = 1 << op.num_high, num_moves = op.num_moves;
  const T* phases = coefficients + num_moves * kMoveSize;
  if (num_moves == 1 && !op.has_phases) {  // lanes of one register change place: X, SWAP on low targets
    const Lanes<T> index = load_lanes(coefficients + W);
    Move move;
    __builtin_memcpy(&move, coefficients, sizeof move);
    const std::uint32_t offset = op.offsets[move.dest];
    for_each_group(op, [&](std::uint32_t base) {
      const std::uint32_t at = base + offset;
      store_register(re, im, at, permute(load_register(re, im, at), index));
    });
    return;
  }
  for_each_group(op, [&](std::uint32_t base) {
    Amplitudes<T> old[kMaxGroup], now[kMaxGroup];
    for (int g = 0; g < members; ++g) now[g] = old[g] = load_register(re, im, base + op.offsets[g]);
    for (int m = 0; m < num_moves; ++m) {
      const T* data = coefficients + m * kMoveSize;
      Move move;
      __builtin_memcpy(&move, data, sizeof move);
      Amplitudes<T> from = old[move.source];
      if (!move.keeps_lanes) from = permute(from, load_lanes(data + W));
      if (!move.all_lanes) {
        const Lanes<T> mask = load_lanes(data + 2 * W);
        from = {select<T>(mask, from.re, now[move.dest].re), select<T>(mask, from.im, now[move.dest].im)};
      }
      now[move.dest] = from;
    }
    for (int g = 0; g < members; ++g) {
      if (op.has_phases) now[g] = times(load_coefficient<T, false>(phases, g), now[g]);
      store_register(re, im, base + op.offsets[g], now[g]);
    }
  });
}

/// new[b] = c[b] psi[b] + (-1)^popcount(b & z) s[b] psi[b ^ x]; coefficients c, Re s, Im s per lane hold the
/// lanes' share of the sign, `outer` the share of the bits outside the tile.
template <class T>
void apply_pauli_rotation(T* re, T* im, const TileOp& op, const T* coefficients, std::uint64_t outer) {
  constexpr int W = kNumLanes<T>;
  const Vector<T> c = load(coefficients);
  const Amplitudes<T> s = {load(coefficients + W), load(coefficients + 2 * W)};
  const std::uint32_t z = op.z_high, x = op.x_high;
  const int x_low = int(op.x_low);
  const Lanes<T> index = lane_numbers<T>() ^ Integer<T>(x_low);
  const auto rotate = [&](std::uint32_t at, const Amplitudes<T>& own, const Amplitudes<T>& other) {
    const Lanes<T> signs = sign_bits<T>(Integer<T>(__builtin_parity(at & z) ^ int(outer)));
    const Amplitudes<T> moved = x_low ? exchange(other, x_low, index) : other;
    const Amplitudes<T> part = times(Amplitudes<T>{flip_sign<T>(s.re, signs), flip_sign<T>(s.im, signs)}, moved);
    store_register(re, im, at, Amplitudes<T>{c * own.re + part.re, c * own.im + part.im});
  };
  if (x == 0) {
    for_each_group(op, [&](std::uint32_t base) {
      const Amplitudes<T> v = load_register(re, im, base);
      rotate(base, v, v);
    });
    return;
  }
  for_each_group(op, [&](std::uint32_t base) {
    const Amplitudes<T> a = load_register(re, im, base), b = load_register(re, im, base ^ x);
    rotate(base, a, b);
    rotate(base ^ x, b, a);
  });
}

}  // namespace
}  // namespace qsim
