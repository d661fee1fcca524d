// The reverse sweep of adjoint differentiation (Jones and Gacon, arXiv:2009.02823).
//
// A reverse tape (qsim/program/reverse.py) undoes a circuit from its end. Where an instruction U(angle) is about to be
// undone that depends on a slot, a generator E = (dU/dangle) U^dagger stands before its inverse. With the state psi
// behind U and lambda = O psi pulled back to the same place, the slot's derivative of <psi|O|psi> is 2 Re <lambda|E psi>.
#include <algorithm>
#include <cstring>
#include <vector>

#include "bits.hpp"
#include "execute.hpp"
#include "pass.hpp"
#include "resident.hpp"
#include "threads.hpp"

namespace qsim {
namespace {

template <class T>
struct Parts {  // of a state in a tile
  T *re, *im;
};

/// A generator is zero where its controls do not match.
template <class T>
void copy_where_on(const Instruction& op, const Parts<T>& from, const Parts<T>& to, std::size_t size) {
  if (op.ctrl_mask == 0) {
    std::memcpy(to.re, from.re, size * sizeof(T));
    std::memcpy(to.im, from.im, size * sizeof(T));
    return;
  }
  for (std::size_t i = 0; i < size; ++i) {
    const bool on = (i & op.ctrl_mask) == op.ctrl_value;
    to.re[i] = on ? from.re[i] : T(0);
    to.im[i] = on ? from.im[i] : T(0);
  }
}

template <class T>
void copy_where_on(const Instruction& op, const std::complex<T>* from, std::complex<T>* to, std::size_t size,
                   int threads) {
  constexpr std::size_t kChunk = std::size_t{1} << 14;
  parallel_for(std::int64_t((size + kChunk - 1) / kChunk), threads, [&](std::int64_t chunk) {
    const std::size_t first = std::size_t(chunk) * kChunk, last = std::min(size, first + kChunk);
    for (std::size_t i = first; i < last; ++i) to[i] = (i & op.ctrl_mask) == op.ctrl_value ? from[i] : std::complex<T>();
  });
}

/// Re <a|b>; half of each array is as good as interleaved.
template <class T>
double real_overlap(const Kernels<T>& kernels, const Parts<T>& a, const Parts<T>& b, std::size_t size) {
  double re[2] = {}, im[2] = {};
  kernels.inner_product(a.re, b.re, size / 2, re);
  kernels.inner_product(a.im, b.im, size / 2, im);
  return re[0] + im[0];
}

/// One row of a small circuit, all its states in tiles.
template <class T>
void sweep_in_tiles(const Context<T>& context, const Reverse& reverse, const std::complex<T>* state,
                    const std::complex<T>* cotangents, std::int64_t count, const double* angles, double* out) {
  const TileLayout& layout = context.plan.segments.front().layout;
  const std::size_t size = std::size_t{1} << layout.tile_bits, dim = std::size_t{1} << context.tape.num_qubits;
  const std::size_t gap = kTileGapBytes / sizeof(T), stride = 2 * (size + gap);
  T* const buffer = workspace().tile.array<T>(std::size_t(count + 2) * stride);
  const auto parts = [&](std::int64_t k) {
    T* const re = buffer + std::size_t(k) * stride;
    return Parts<T>{re, re + size + gap};
  };
  const Parts<T> psi = parts(0), scratch = parts(1);
  split_tile(context, layout, reinterpret_cast<const T*>(state), 0, psi.re, psi.im);
  for (std::int64_t k = 0; k < count; ++k)
    split_tile(context, layout, reinterpret_cast<const T*>(cotangents + std::size_t(k) * dim), 0, parts(k + 2).re,
               parts(k + 2).im);
  const void* const bound = bind_angles(context, angles);
  for (std::size_t i = 0; i < context.plan.ops.size(); ++i) {
    const PlannedOp& op = context.plan.ops[i];
    const auto apply_to = [&](const Parts<T>& p) { run_op(context, layout, op, 0, p.re, p.im, bound); };
    const std::int32_t slot = reverse.slots[i];
    if (slot < 0) {
      apply_to(psi);
      for (std::int64_t k = 0; k < count; ++k) apply_to(parts(k + 2));
    } else {
      copy_where_on(*op.instruction, psi, scratch, size);
      apply_to(scratch);
      for (std::int64_t k = 0; k < count; ++k)
        out[k * context.tape.num_slots + slot] +=
            2 * reverse.weights[i] * real_overlap(context.kernels, parts(k + 2), scratch, size);
    }
    if ((i & 15) == 15) checkpoint();
  }
}

/// One row of a big circuit; `state` and `cotangents` are overwritten.
template <class T>
void sweep_states(const Context<T>& context, const Reverse& reverse, std::complex<T>* state, std::complex<T>* scratch,
                  std::complex<T>* cotangents, std::int64_t count, const double* angles, int threads, double* out) {
  const std::size_t dim = std::size_t{1} << context.tape.num_qubits;
  const void* const bound = bind_angles(context, angles);
  for (const PlannedSegment& segment : context.plan.segments) {
    const auto apply_to = [&](std::complex<T>* s) {
      run_segment(context, segment, reinterpret_cast<T*>(s), bound, threads);
    };
    const std::int32_t slot = reverse.slots[segment.first];
    if (slot < 0) {
      apply_to(state);
      for (std::int64_t k = 0; k < count; ++k) apply_to(cotangents + std::size_t(k) * dim);
      continue;
    }
    copy_where_on(context.tape.instructions[segment.first], state, scratch, dim, threads);
    apply_to(scratch);
    for (std::int64_t k = 0; k < count; ++k) {
      std::complex<double> overlap;
      inner_products(cotangents + std::size_t(k) * dim, scratch, context.tape.num_qubits, 1, threads, &overlap);
      out[k * context.tape.num_slots + slot] += 2 * reverse.weights[segment.first] * overlap.real();
    }
  }
}

constexpr std::size_t kSignedRun = 64;  // amplitudes whose signs are looked up

/// out[b] += c (P psi)[b] for the string of masks x, z.
template <class T>
void add_string(const PauliSums::Term& term, const std::complex<T>* state, std::complex<T>* out, std::size_t dim,
                int threads) {
  const int power = popcount(term.x & term.z) & 3;  // of -i
  const double c = term.coefficient;
  const T units[4][2] = {{T(c), T(0)}, {T(0), T(-c)}, {T(-c), T(0)}, {T(0), T(c)}};
  const std::size_t run = std::min(dim, kSignedRun), x_low = term.x & (kSignedRun - 1);
  T signs[kSignedRun];
  for (std::size_t j = 0; j < run; ++j) signs[j] = parity(j & term.z) ? T(-1) : T(1);
  constexpr std::size_t kChunk = std::size_t{1} << 14;
  parallel_for(std::int64_t((dim + kChunk - 1) / kChunk), threads, [&](std::int64_t chunk) {
    const std::size_t first = std::size_t(chunk) * kChunk, last = std::min(dim, first + kChunk);
    for (std::size_t b = first; b < last; b += run) {
      const T sign = parity(b & term.z) ? T(-1) : T(1), re = sign * units[power][0], im = sign * units[power][1];
      const T* const from = reinterpret_cast<const T*>(state + (b ^ (term.x & ~(kSignedRun - 1))));
      T* const to = reinterpret_cast<T*>(out + b);
      const auto add = [&](std::size_t j, std::size_t i) {
        to[2 * j] += signs[j] * (re * from[2 * i] - im * from[2 * i + 1]);
        to[2 * j + 1] += signs[j] * (re * from[2 * i + 1] + im * from[2 * i]);
      };
      if (x_low == 0) {
        for (std::size_t j = 0; j < run; ++j) add(j, j);
      } else {
        for (std::size_t j = 0; j < run; ++j) add(j, j ^ x_low);
      }
    }
  });
}

}  // namespace

template <class T>
void apply_paulis(const PauliSums& sums, const std::complex<T>* states, std::int64_t batch, int threads,
                  std::complex<T>* out) {
  const std::size_t dim = std::size_t{1} << sums.num_qubits;
  const std::int64_t count = sums.num_observables();
  const bool many = sums.num_qubits <= kMaxTileBits;  // threads share out rows, else amplitudes
  parallel_for(batch, many ? threads : 1, [&](std::int64_t row) {
    for (std::int64_t k = 0; k < count; ++k) {
      std::complex<T>* const own = out + std::size_t(row * count + k) * dim;
      std::fill(own, own + dim, std::complex<T>());
      sums.for_each_term(k, [&](const PauliSums::Term& term) {
        add_string(term, states + std::size_t(row) * dim, own, dim, many ? 1 : threads);
        checkpoint();
      });
    }
  });
}

template <class T>
void sweep_back(const Tape& tape, const Reverse& reverse, std::complex<T>* states, std::complex<T>* cotangents,
                std::int64_t batch, std::int64_t count, const double* angles, std::int64_t angle_rows, int threads,
                double* out) {
  const Context<T> context(tape);
  std::fill(out, out + batch * count * tape.num_slots, 0.0);
  if (context.plan.segments.empty()) return;
  const std::size_t dim = std::size_t{1} << tape.num_qubits;
  const auto angles_of = [&](std::int64_t row) { return angles + (angle_rows == 1 ? 0 : row * tape.num_slots); };
  if (context.plan.resident) {
    parallel_for(batch, threads, [&](std::int64_t row) {
      sweep_in_tiles(context, reverse, states + std::size_t(row) * dim, cotangents + std::size_t(row * count) * dim,
                     count, angles_of(row), out + row * count * tape.num_slots);
    });
    return;
  }
  AlignedBuffer buffer;
  auto* const scratch = buffer.array<std::complex<T>>(dim);
  for (std::int64_t row = 0; row < batch; ++row)
    sweep_states(context, reverse, states + std::size_t(row) * dim, scratch,
                 cotangents + std::size_t(row * count) * dim, count, angles_of(row), threads,
                 out + row * count * tape.num_slots);
}

#define QSIM_INSTANTIATE(T)                                                                                        \
  template void apply_paulis<T>(const PauliSums&, const std::complex<T>*, std::int64_t, int, std::complex<T>*);    \
  template void sweep_back<T>(const Tape&, const Reverse&, std::complex<T>*, std::complex<T>*, std::int64_t,       \
                              std::int64_t, const double*, std::int64_t, int, double*);
QSIM_INSTANTIATE(float)
QSIM_INSTANTIATE(double)
#undef QSIM_INSTANTIATE

}  // namespace qsim
