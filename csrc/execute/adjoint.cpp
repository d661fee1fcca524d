// The reverse sweep of adjoint differentiation (Jones and Gacon, arXiv:2009.02823).
//
// A reverse tape (qsim/program/reverse.py) undoes a circuit from its end. Where an instruction U(angle) is about to be
// undone that depends on a slot, a generator E = (dU/dangle) U^dagger stands before its inverse. With the state psi
// behind U and lambda = O psi pulled back to the same place, the slot's derivative of <psi|O|psi> is 2 Re <lambda|E psi>.
#include <algorithm>
#include <cstring>
#include <vector>

#include "../fuse/run_fused.hpp"
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

/// Tiles of a thread: the state's, one to copy it to, and those of its cotangents.
template <class T>
class Tiles {
 public:
  Tiles(const TileLayout& layout, std::int64_t count)
      : size(std::size_t{1} << layout.tile_bits),
        buffer_(workspace().tile.array<T>(std::size_t(count + 2) * 2 * (size + kGap))) {}
  Parts<T> state() const { return part(0); }
  Parts<T> copy() const { return part(1); }
  Parts<T> cotangent(std::int64_t k) const { return part(std::size_t(k) + 2); }
  const std::size_t size;

 private:
  static constexpr std::size_t kGap = kTileGapBytes / sizeof(T);
  Parts<T> part(std::size_t number) const {
    T* const re = buffer_ + number * 2 * (size + kGap);
    return {re, re + size + kGap};
  }
  T* buffer_;
};

template <class T>
void copy_where(std::uint64_t mask, std::uint64_t value, const Parts<T>& from, const Parts<T>& to, std::size_t size) {
  if (mask == 0) {
    std::memcpy(to.re, from.re, size * sizeof(T));
    std::memcpy(to.im, from.im, size * sizeof(T));
    return;
  }
  for (std::size_t i = 0; i < size; ++i) {
    const bool on = (i & mask) == value;
    to.re[i] = on ? from.re[i] : T(0);
    to.im[i] = on ? from.im[i] : T(0);
  }
}

template <class T>
void copy_where(std::uint64_t mask, std::uint64_t value, const std::complex<T>* from, std::complex<T>* to,
                std::size_t size, int threads) {
  constexpr std::size_t kChunk = std::size_t{1} << 14;
  parallel_for(std::int64_t((size + kChunk - 1) / kChunk), threads, [&](std::int64_t chunk) {
    const std::size_t first = std::size_t(chunk) * kChunk, last = std::min(size, first + kChunk);
    for (std::size_t i = first; i < last; ++i) to[i] = (i & mask) == value ? from[i] : std::complex<T>();
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

/// The instructions of a segment on the tiles that start at amplitude `base`; add(i, k, overlap) for the generators. A
/// generator is zero where its controls do not match.
template <class T, class Add>
void sweep_tile(const Context<T>& context, const Reverse& reverse, const PlannedSegment& segment, const Tiles<T>& tiles,
                std::int64_t count, std::uint64_t base, const void* bound, const Add& add) {
  const auto apply_to = [&](const PlannedOp& op, const Parts<T>& p) {
    run_op(context, segment.layout, op, base, p.re, p.im, bound);
  };
  for (std::size_t i = segment.first; i < segment.last; ++i) {
    const PlannedOp& op = context.plan.ops[i];
    if ((i & 15) == 15) checkpoint();
    if ((base & op.outer_ctrl_mask) != op.outer_ctrl_value) continue;
    if (reverse.slots[i] < 0) {
      apply_to(op, tiles.state());
      for (std::int64_t k = 0; k < count; ++k) apply_to(op, tiles.cotangent(k));
      continue;
    }
    copy_where(op.ctrl_mask, op.ctrl_value, tiles.state(), tiles.copy(), tiles.size);
    apply_to(op, tiles.copy());
    for (std::int64_t k = 0; k < count; ++k)
      add(i, k, real_overlap(context.kernels, tiles.cotangent(k), tiles.copy(), tiles.size));
  }
}

/// What is swept: the state at the end of the circuit, and its cotangents one after the other.
template <class T>
struct Row {
  std::complex<T>* state;
  std::complex<T>* cotangents;
  std::int64_t count;
  std::size_t dim;
  double* out;  // (count, num_slots)

  T* cotangent(std::int64_t k) const { return reinterpret_cast<T*>(cotangents + std::size_t(k) * dim); }
  void split(const Context<T>& context, const TileLayout& layout, std::uint64_t base, const Tiles<T>& tiles) const {
    split_tile(context, layout, reinterpret_cast<const T*>(state), base, tiles.state().re, tiles.state().im);
    for (std::int64_t k = 0; k < count; ++k)
      split_tile(context, layout, cotangent(k), base, tiles.cotangent(k).re, tiles.cotangent(k).im);
  }
  void join(const Context<T>& context, const TileLayout& layout, std::uint64_t base, const Tiles<T>& tiles) const {
    join_tile(context, layout, tiles.state().re, tiles.state().im, reinterpret_cast<T*>(state), base);
    for (std::int64_t k = 0; k < count; ++k)
      join_tile(context, layout, tiles.cotangent(k).re, tiles.cotangent(k).im, cotangent(k), base);
  }
};

/// A small circuit: everything stays in tiles.
template <class T>
void sweep_resident(const Context<T>& context, const Reverse& reverse, const Row<T>& row, const double* angles) {
  const TileLayout& layout = context.plan.segments.front().layout;
  const Tiles<T> tiles(layout, row.count);
  row.split(context, layout, 0, tiles);
  const void* const bound = bind_angles(context, angles);
  for (const PlannedSegment& segment : context.plan.segments)
    sweep_tile(context, reverse, segment, tiles, row.count, 0, bound, [&](std::size_t i, std::int64_t k, double sum) {
      row.out[k * context.tape.num_slots + reverse.slots[i]] += 2 * reverse.weights[i] * sum;
    });
}

constexpr std::uint64_t kSweepChunks = 64;  // partial sums of a pass, whatever the number of threads

/// One pass over a big state and its cotangents, tile by tile.
template <class T>
void sweep_tiled(const Context<T>& context, const Reverse& reverse, const PlannedSegment& segment, const Row<T>& row,
                 const void* bound, int threads) {
  const TileLayout& layout = segment.layout;
  const std::uint64_t per_chunk = (layout.num_tiles + kSweepChunks - 1) / kSweepChunks;
  const std::uint64_t num_chunks = (layout.num_tiles + per_chunk - 1) / per_chunk;
  const std::uint64_t outside = ((std::uint64_t{1} << context.tape.num_qubits) - 1) & ~layout.inside;
  const std::size_t num_sums = (segment.last - segment.first) * std::size_t(row.count);
  std::vector<double> sums(num_chunks * num_sums);
  parallel_for(std::int64_t(num_chunks), threads, [&](std::int64_t chunk) {
    double* const own = sums.data() + std::size_t(chunk) * num_sums;
    const Tiles<T> tiles(layout, row.count);
    const std::uint64_t first = std::uint64_t(chunk) * per_chunk, last = std::min(layout.num_tiles, first + per_chunk);
    std::uint64_t base = deposit_bits(first, outside);
    for (std::uint64_t t = first; t < last; ++t) {
      row.split(context, layout, base, tiles);
      sweep_tile(context, reverse, segment, tiles, row.count, base, bound,
                 [&](std::size_t i, std::int64_t k, double sum) {
                   own[(i - segment.first) * std::size_t(row.count) + std::size_t(k)] += sum;
                 });
      row.join(context, layout, base, tiles);
      base = ((base | layout.inside) + 1) & outside;
    }
  });
  for (std::size_t i = segment.first; i < segment.last; ++i) {
    if (reverse.slots[i] < 0) continue;
    for (std::int64_t k = 0; k < row.count; ++k) {
      double total = 0;
      for (std::uint64_t chunk = 0; chunk < num_chunks; ++chunk)
        total += sums[chunk * num_sums + (i - segment.first) * std::size_t(row.count) + std::size_t(k)];
      row.out[k * context.tape.num_slots + reverse.slots[i]] += 2 * reverse.weights[i] * total;
    }
  }
}

/// One instruction on whole states, which no tile holds or which needs none.
template <class T>
void sweep_whole(const Context<T>& context, const Reverse& reverse, const PlannedSegment& segment, const Row<T>& row,
                 const void* bound, int threads, AlignedBuffer& buffer) {
  const std::size_t i = segment.first;
  const Instruction& op = context.tape.instructions[i];
  if (reverse.slots[i] < 0) {
    run_segment(context, segment, reinterpret_cast<T*>(row.state), bound, threads);
    for (std::int64_t k = 0; k < row.count; ++k) run_segment(context, segment, row.cotangent(k), bound, threads);
    return;
  }
  auto* const copy = buffer.array<std::complex<T>>(row.dim);
  copy_where(op.ctrl_mask, op.ctrl_value, row.state, copy, row.dim, threads);
  run_segment(context, segment, reinterpret_cast<T*>(copy), bound, threads);
  for (std::int64_t k = 0; k < row.count; ++k) {
    std::complex<double> overlap;
    inner_products(row.cotangents + std::size_t(k) * row.dim, copy, context.tape.num_qubits, 1, threads, &overlap);
    row.out[k * context.tape.num_slots + reverse.slots[i]] += 2 * reverse.weights[i] * overlap.real();
  }
}

/// One row by the fused plan; false if there is none or it does not apply to these angles.
template <class T>
bool sweep_row_fused(const Tape& tape, const Reverse& reverse, const Row<T>& row, const double* angles, int threads) {
  const int isa = current_isa();
  const FusedPlan* const plan = tape.sweep_plan<T>(isa, reverse.slots);
  if (plan == nullptr) return false;
  BoundPlan<T> bound;
  if (!bind_fused<T>(tape, *plan, kernel_table(isa).vector_bytes / int(sizeof(T)), angles, bound)) return false;
  std::vector<T*> states = {reinterpret_cast<T*>(row.state)};
  for (std::int64_t k = 0; k < row.count; ++k) states.push_back(row.cotangent(k));
  sweep_fused(*plan, bound, isa, states, threads, reverse.weights.data(), reverse.slots.data(), tape.num_slots, row.out);
  return true;
}

}  // namespace

template <class T>
void sweep_back(const Tape& tape, const Reverse& reverse, std::complex<T>* states, std::complex<T>* cotangents,
                std::int64_t batch, std::int64_t count, const double* angles, std::int64_t angle_rows, int threads,
                double* out) {
  const Context<T> context(tape);
  std::fill(out, out + batch * count * tape.num_slots, 0.0);
  if (context.plan.segments.empty()) return;
  const std::size_t dim = std::size_t{1} << tape.num_qubits;
  const auto angles_of = [&](std::int64_t row) { return angles + (angle_rows == 1 ? 0 : row * tape.num_slots); };
  const auto row_of = [&](std::int64_t row) {
    return Row<T>{states + std::size_t(row) * dim, cotangents + std::size_t(row * count) * dim, count, dim,
                  out + row * count * tape.num_slots};
  };
  if (context.plan.resident) {
    const int inner = batch < threads ? threads : 1;  // threads share out rows, or the tiles of few
    parallel_for(batch, inner == 1 ? threads : 1, [&](std::int64_t row) {
      if (!sweep_row_fused(tape, reverse, row_of(row), angles_of(row), inner))
        sweep_resident(context, reverse, row_of(row), angles_of(row));
    });
    return;
  }
  AlignedBuffer buffer;
  for (std::int64_t row = 0; row < batch; ++row) {
    if (sweep_row_fused(tape, reverse, row_of(row), angles_of(row), threads)) continue;
    const void* const bound = bind_angles(context, angles_of(row));
    for (const PlannedSegment& segment : context.plan.segments) {
      if (segment.whole || segment.streamed)
        sweep_whole(context, reverse, segment, row_of(row), bound, threads, buffer);
      else
        sweep_tiled(context, reverse, segment, row_of(row), bound, threads);
    }
  }
}

#define QSIM_INSTANTIATE(T)                                                                                        \
  template void sweep_back<T>(const Tape&, const Reverse&, std::complex<T>*, std::complex<T>*, std::int64_t,       \
                              std::int64_t, const double*, std::int64_t, int, double*);
QSIM_INSTANTIATE(float)
QSIM_INSTANTIATE(double)
#undef QSIM_INSTANTIATE

}  // namespace qsim
