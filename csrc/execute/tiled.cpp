// Runs a tape: one pass over the state per segment, tile by tile; a state that fits a tile is one tile throughout.
#include <algorithm>
#include <cstring>

#include "../fuse/run_fused.hpp"
#include "bits.hpp"
#include "execute.hpp"
#include "pass.hpp"
#include "resident.hpp"
#include "threads.hpp"

namespace qsim {
namespace {

/// All instructions of a segment on the tile that starts at amplitude `base`.
template <class T>
void run_tile(const Context<T>& context, const PlannedSegment& segment, std::uint64_t base, T* re, T* im,
              const void* bound) {
  for (std::size_t i = segment.first; i < segment.last; ++i) {
    run_op(context, segment.layout, context.plan.ops[i], base, re, im, bound);
    if ((i & 15) == 15) checkpoint();
  }
}

/// True if no instruction of the segment acts on this tile.
bool leaves_alone(const Plan& plan, const PlannedSegment& segment, std::uint64_t base) {
  for (std::size_t i = segment.first; i < segment.last; ++i) {
    const PlannedOp& op = plan.ops[i];
    if ((base & op.outer_ctrl_mask) == op.outer_ctrl_value) return false;
  }
  return true;
}

}  // namespace

template <class T>
void run_segment(const Context<T>& context, const PlannedSegment& segment, T* state, const void* bound,
                 int threads) {
  if (segment.streamed) return run_streamed(context, context.plan.ops[segment.first], state, bound, threads);
  if (segment.whole) return run_whole(context, context.plan.ops[segment.first], state, bound, threads);
  const TileLayout& layout = segment.layout;
  const std::uint64_t tiles_per_chunk =
      std::max<std::uint64_t>(1, std::min(layout.num_tiles / (std::uint64_t(threads) * 8),
                                          std::uint64_t{1} << std::max(0, 18 - layout.tile_bits)));
  const std::uint64_t num_chunks = (layout.num_tiles + tiles_per_chunk - 1) / tiles_per_chunk;
  const std::uint64_t outside = ((std::uint64_t{1} << context.tape.num_qubits) - 1) & ~layout.inside;
  parallel_for(std::int64_t(num_chunks), threads, [&](std::int64_t chunk) {
    const auto [re, im] = tile_buffer<T>(workspace().tile, layout.tile_bits);
    const std::uint64_t first = std::uint64_t(chunk) * tiles_per_chunk;
    const std::uint64_t last = std::min(layout.num_tiles, first + tiles_per_chunk);
    std::uint64_t base = deposit_bits(first, outside);
    for (std::uint64_t t = first; t < last; ++t) {
      const std::uint64_t next = ((base | layout.inside) + 1) & outside;
      if (!leaves_alone(context.plan, segment, base)) {
        split_tile(context, layout, state, base, re, im);
        run_tile(context, segment, base, re, im, bound);
        join_tile(context, layout, re, im, state, base, t + 1 < last ? state + 2 * next : nullptr);
      }
      base = next;
    }
  });
}

namespace {

template <class T>
void run_resident(const Context<T>& context, T* re, T* im, const void* bound) {
  for (const PlannedSegment& segment : context.plan.segments) run_tile(context, segment, 0, re, im, bound);
}

/// One big state by the fused program; false if it does not apply to these angles.
template <class T>
bool run_row_fused(const Tape& tape, bool from_zero, std::complex<T>* state, const double* angles, int threads) {
  if (!tape.is_fused(from_zero)) return false;
  const int isa = current_isa();
  const FusedPlan& plan = tape.fused_plan<T>(isa, from_zero);
  BoundPlan<T> bound;
  if (!bind_fused<T>(tape, plan, kernel_table(isa).vector_bytes / int(sizeof(T)), angles, bound)) return false;
  run_fused<T>(plan, bound, isa, reinterpret_cast<T*>(state), threads);
  return true;
}

template <class T>
void apply_row(const Tape& tape, const Context<T>& context, std::complex<T>* state, const double* angles,
               int threads) {
  if (run_row_fused(tape, false, state, angles, threads)) return;
  const void* const bound = bind_angles(context, angles);
  for (const PlannedSegment& segment : context.plan.segments)
    run_segment(context, segment, reinterpret_cast<T*>(state), bound, threads);
}

}  // namespace

template <class T>
void apply(const Tape& tape, std::complex<T>* states, std::int64_t batch, const double* angles,
           std::int64_t angle_rows, int threads) {
  const Context<T> context(tape);
  if (context.plan.segments.empty()) return;
  const std::size_t dim = std::size_t{1} << tape.num_qubits;
  const auto row_of = [&](std::int64_t row) { return angles + (angle_rows == 1 ? 0 : row * tape.num_slots); };
  if (!context.plan.resident || tape.is_fused(true)) {
    for (std::int64_t row = 0; row < batch; ++row)
      apply_row(tape, context, states + row * dim, row_of(row), threads);
    return;
  }
  const TileLayout& layout = context.plan.segments.front().layout;
  const std::int64_t rows_per_chunk = resident_rows_per_chunk(batch, threads);
  parallel_for((batch + rows_per_chunk - 1) / rows_per_chunk, threads, [&](std::int64_t chunk) {
    const void* bound = nullptr;
    for (std::int64_t row = chunk * rows_per_chunk; row < std::min(batch, (chunk + 1) * rows_per_chunk); ++row) {
      if (bound == nullptr || angle_rows > 1) bound = bind_angles(context, row_of(row));
      const auto [re, im] = tile_buffer<T>(workspace().tile, layout.tile_bits);
      T* const state = reinterpret_cast<T*>(states + row * dim);
      split_tile(context, layout, state, 0, re, im);
      run_resident(context, re, im, bound);
      join_tile(context, layout, re, im, state, 0);
    }
  });
}

template <class T>
void run(const Tape& tape, std::complex<T>* states, std::int64_t batch, const double* angles, std::int64_t angle_rows,
         int threads) {
  const std::size_t dim = std::size_t{1} << tape.num_qubits;
  if (!tape.is_fused(true)) {
    set_basis_state(states, tape.num_qubits, batch, 0, threads);
    return apply(tape, states, batch, angles, angle_rows, threads);
  }
  for (std::int64_t row = 0; row < batch; ++row) {
    const double* const own = angles + (angle_rows == 1 ? 0 : row * tape.num_slots);
    if (run_row_fused(tape, true, states + row * dim, own, threads)) continue;
    set_basis_state(states + row * dim, tape.num_qubits, 1, 0, threads);
    apply(tape, states + row * dim, 1, own, 1, threads);
  }
}

template <class T>
void run_expectation(const Tape& tape, const PauliSums& sums, std::int64_t batch, const double* angles,
                     std::int64_t angle_rows, int threads, double* out) {
  const Context<T> context(tape);
  const std::int64_t num_observables = sums.num_observables();
  const auto row_of = [&](std::int64_t row) { return angles + (angle_rows == 1 ? 0 : row * tape.num_slots); };
  if (!context.plan.resident || tape.is_fused(true)) {
    AlignedBuffer buffer;
    const std::size_t dim = std::size_t{1} << tape.num_qubits;
    auto* const state = buffer.array<std::complex<T>>(dim);
    for (std::int64_t row = 0; row < batch; ++row) {
      run(tape, state, 1, row_of(row), 1, threads);
      expectation(sums, state, 1, threads, out + row * num_observables);
    }
    return;
  }
  const int tile_bits = std::max(tape.num_qubits, log2_of(std::uint64_t(context.lanes)));
  const std::size_t tile_size = std::size_t{1} << tile_bits;
  const std::int64_t rows_per_chunk = resident_rows_per_chunk(batch, threads);
  parallel_for((batch + rows_per_chunk - 1) / rows_per_chunk, threads, [&](std::int64_t chunk) {
    const void* bound = nullptr;
    for (std::int64_t row = chunk * rows_per_chunk; row < std::min(batch, (chunk + 1) * rows_per_chunk); ++row) {
      if (bound == nullptr || angle_rows > 1) bound = bind_angles(context, row_of(row));
      const auto [re, im] = tile_buffer<T>(workspace().tile, tile_bits);
      std::memset(re, 0, tile_size * sizeof(T));
      std::memset(im, 0, tile_size * sizeof(T));
      re[0] = T(1);
      run_resident(context, re, im, bound);
      expectation_of_tile(sums, context.table, re, im, tile_size, out + row * num_observables);
    }
  });
}

#define QSIM_INSTANTIATE(T)                                                                                       \
  template void run_segment<T>(const Context<T>&, const PlannedSegment&, T*, const void*, int);                   \
  template void apply<T>(const Tape&, std::complex<T>*, std::int64_t, const double*, std::int64_t, int);          \
  template void run<T>(const Tape&, std::complex<T>*, std::int64_t, const double*, std::int64_t, int);            \
  template void run_expectation<T>(const Tape&, const PauliSums&, std::int64_t, const double*, std::int64_t, int, \
                                   double*);
QSIM_INSTANTIATE(float)
QSIM_INSTANTIATE(double)
#undef QSIM_INSTANTIATE

}  // namespace qsim
