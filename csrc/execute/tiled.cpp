// Runs a tape: one pass over the state per segment, tile by tile; a state that fits a tile is one tile throughout.
#include <algorithm>
#include <cstring>

#include "bits.hpp"
#include "execute.hpp"
#include "group.hpp"
#include "plan.hpp"
#include "resident.hpp"
#include "threads.hpp"

namespace qsim {
namespace {

constexpr std::uint64_t kStreamedGroups = 1 << 14;  // registers or pairs of them: about a megabyte a chunk

/// What one pass needs, gathered once per call.
template <class T>
struct Context {
  Context(const Tape& the_tape)
      : tape(the_tape),
        isa(current_isa()),
        table(kernel_table(isa)),
        kernels(kernels_for<T>(table)),
        lanes(table.vector_bytes / int(sizeof(T))),
        plan(the_tape.plan<T>(isa)) {}
  const Tape& tape;
  const int isa;
  const KernelTable& table;
  const Kernels<T>& kernels;
  const int lanes;
  const Plan& plan;
};

template <class T>
const void* coefficients_of(const Context<T>& context, const PlannedOp& op, const void* bound) {
  if (op.is_table && op.instruction->num_terms == 0)
    return context.tape.constants.data() + op.instruction->data;
  return static_cast<const char*>(op.constant ? context.plan.constants.data() : bound) + op.coefficients;
}

/// What the index bits outside the tile say to a kernel.
std::uint64_t outer_of(const Plan& plan, const PlannedOp& op, std::uint64_t base) {
  if (op.outer_z != 0) return std::uint64_t(parity(base & op.outer_z));
  std::uint64_t outer = 0;
  const OuterTarget* target = plan.outer_targets.data() + op.first_outer;
  for (int i = 0; i < op.num_outer; ++i)
    outer |= ((base >> target[i].qubit) & 1) << (op.is_table ? target[i].entry_bit : i);
  return outer;
}

template <class T>
void apply_groups_in_tile(const Context<T>& context, const TileLayout& layout, const PlannedOp& op,
                          const void* coefficients, T* re, T* im) {
  int positions[kMaxTileBits];
  for (int i = 0; i < op.instruction->num_targets; ++i)
    positions[i] = position_of(context.tape.targets(*op.instruction)[i], layout.inside);
  apply_groups<T>(context.tape, op, coefficients, TileAccess<T>{re, im}, positions, op.ctrl_mask, op.ctrl_value,
                  layout.tile_bits, context.table, 1);
}

/// All instructions of a segment on the tile that starts at amplitude `base`.
template <class T>
void run_tile(const Context<T>& context, const PlannedSegment& segment, std::uint64_t base, T* re, T* im,
              const void* bound) {
  const Plan& plan = context.plan;
  for (std::size_t i = segment.first; i < segment.last; ++i) {
    const PlannedOp& op = plan.ops[i];
    if ((base & op.outer_ctrl_mask) != op.outer_ctrl_value) continue;
    const void* const coefficients = coefficients_of(context, op, bound);
    if (op.kernel == nullptr) {
      apply_groups_in_tile(context, segment.layout, op, coefficients, re, im);
      continue;
    }
    const std::uint64_t outer = base == 0 ? 0 : outer_of(plan, op, base);
    reinterpret_cast<TileKernel<T>>(op.kernel)(re, im, op.tile, static_cast<const T*>(coefficients), outer, 0,
                                                op.tile.num_groups);
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

template <class T>
void split_tile(const Context<T>& context, const TileLayout& layout, const T* state, std::uint64_t base, T* re,
                T* im) {
  const std::size_t run = std::size_t{1} << layout.run_bits;
  if (run < std::size_t(context.lanes)) {  // the whole state is smaller than a register: pad it
    std::fill(re, re + context.lanes, T(0));
    std::fill(im, im + context.lanes, T(0));
    for (std::size_t i = 0; i < run; ++i) {
      re[i] = state[2 * i];
      im[i] = state[2 * i + 1];
    }
    return;
  }
  for (std::size_t r = 0; r < layout.run_offsets.size(); ++r)
    context.kernels.split(state + 2 * (base + layout.run_offsets[r]), re + r * run, im + r * run, run);
}

template <class T>
void join_tile(const Context<T>& context, const TileLayout& layout, const T* re, const T* im, T* state,
               std::uint64_t base, const T* next = nullptr) {
  const std::size_t run = std::size_t{1} << layout.run_bits;
  if (run < std::size_t(context.lanes)) {
    for (std::size_t i = 0; i < run; ++i) {
      state[2 * i] = re[i];
      state[2 * i + 1] = im[i];
    }
    return;
  }
  for (std::size_t r = 0; r < layout.run_offsets.size(); ++r)
    context.kernels.join(re + r * run, im + r * run, state + 2 * (base + layout.run_offsets[r]), run,
                         next == nullptr ? nullptr : next + 2 * layout.run_offsets[r]);
}

template <class T>
T* tile_buffer(int tile_bits) {
  return workspace().tile.array<T>(std::size_t{2} << tile_bits);
}

/// One instruction on the state itself: its groups are shared out, each thread runs through memory in order.
template <class T>
void run_streamed(const Context<T>& context, const PlannedOp& op, T* state, const void* bound, int threads) {
  const T* const coefficients = static_cast<const T*>(coefficients_of(context, op, bound));
  const std::uint64_t num_groups = op.tile.num_groups;
  const std::uint64_t per_chunk = std::max<std::uint64_t>(1, std::min(num_groups / (std::uint64_t(threads) * 4),
                                                                      kStreamedGroups));
  parallel_for(std::int64_t((num_groups + per_chunk - 1) / per_chunk), threads, [&](std::int64_t chunk) {
    const std::uint64_t first = std::uint64_t(chunk) * per_chunk;
    reinterpret_cast<TileKernel<T>>(op.kernel)(state, nullptr, op.tile, coefficients, 0, first,
                                               std::min(num_groups, first + per_chunk));
  });
}

/// One pass over a state bigger than a tile.
template <class T>
void run_segment(const Context<T>& context, const PlannedSegment& segment, T* state, const void* bound,
                 int threads) {
  if (segment.streamed) return run_streamed(context, context.plan.ops[segment.first], state, bound, threads);
  if (segment.whole) {
    const PlannedOp& op = context.plan.ops[segment.first];
    const Instruction& instruction = *op.instruction;
    const std::int32_t* targets = context.tape.targets(instruction);
    apply_groups<T>(context.tape, op, coefficients_of(context, op, bound),
                    StateAccess<T>{reinterpret_cast<std::complex<T>*>(state)}, targets, instruction.ctrl_mask,
                    instruction.ctrl_value, context.tape.num_qubits, context.table, threads);
    return;
  }
  const TileLayout& layout = segment.layout;
  const std::uint64_t tiles_per_chunk =
      std::max<std::uint64_t>(1, std::min(layout.num_tiles / (std::uint64_t(threads) * 8),
                                          std::uint64_t{1} << std::max(0, 18 - layout.tile_bits)));
  const std::uint64_t num_chunks = (layout.num_tiles + tiles_per_chunk - 1) / tiles_per_chunk;
  const std::uint64_t outside = ((std::uint64_t{1} << context.tape.num_qubits) - 1) & ~layout.inside;
  parallel_for(std::int64_t(num_chunks), threads, [&](std::int64_t chunk) {
    T* const re = tile_buffer<T>(layout.tile_bits);
    T* const im = re + (std::size_t{1} << layout.tile_bits);
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

/// The coefficients of one row of angles, in memory that lives as long as the caller's call.
template <class T>
const void* bind_angles(const Context<T>& context, const double* angles) {
  void* const bound = workspace().coefficients.ensure(context.plan.bound_bytes);
  bind_row<T>(context.tape, context.plan, context.lanes, angles, bound);
  return bound;
}

template <class T>
void run_resident(const Context<T>& context, T* re, T* im, const void* bound) {
  for (const PlannedSegment& segment : context.plan.segments) run_tile(context, segment, 0, re, im, bound);
}

}  // namespace

template <class T>
void apply(const Tape& tape, std::complex<T>* states, std::int64_t batch, const double* angles,
           std::int64_t angle_rows, int threads) {
  const Context<T> context(tape);
  if (context.plan.segments.empty()) return;
  const std::size_t dim = std::size_t{1} << tape.num_qubits;
  const auto row_of = [&](std::int64_t row) { return angles + (angle_rows == 1 ? 0 : row * tape.num_slots); };
  if (!context.plan.resident) {
    for (std::int64_t row = 0; row < batch; ++row) {
      const void* const bound = bind_angles(context, row_of(row));
      for (const PlannedSegment& segment : context.plan.segments)
        run_segment(context, segment, reinterpret_cast<T*>(states + row * dim), bound, threads);
    }
    return;
  }
  const TileLayout& layout = context.plan.segments.front().layout;
  const std::int64_t rows_per_chunk = resident_rows_per_chunk(batch, threads);
  parallel_for((batch + rows_per_chunk - 1) / rows_per_chunk, threads, [&](std::int64_t chunk) {
    const void* bound = nullptr;
    for (std::int64_t row = chunk * rows_per_chunk; row < std::min(batch, (chunk + 1) * rows_per_chunk); ++row) {
      if (bound == nullptr || angle_rows > 1) bound = bind_angles(context, row_of(row));
      T* const re = tile_buffer<T>(layout.tile_bits);
      T* const im = re + (std::size_t{1} << layout.tile_bits);
      T* const state = reinterpret_cast<T*>(states + row * dim);
      split_tile(context, layout, state, 0, re, im);
      run_resident(context, re, im, bound);
      join_tile(context, layout, re, im, state, 0);
    }
  });
}

template <class T>
void run_expectation(const Tape& tape, const PauliSums& sums, std::int64_t batch, const double* angles,
                     std::int64_t angle_rows, int threads, double* out) {
  const Context<T> context(tape);
  const std::int64_t num_observables = sums.num_observables();
  const auto row_of = [&](std::int64_t row) { return angles + (angle_rows == 1 ? 0 : row * tape.num_slots); };
  if (!context.plan.resident) {
    AlignedBuffer buffer;
    const std::size_t dim = std::size_t{1} << tape.num_qubits;
    auto* const state = buffer.array<std::complex<T>>(dim);
    for (std::int64_t row = 0; row < batch; ++row) {
      set_basis_state(state, tape.num_qubits, 1, 0, threads);
      apply(tape, state, 1, row_of(row), 1, threads);
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
      T* const re = tile_buffer<T>(tile_bits);
      T* const im = re + tile_size;
      std::memset(re, 0, 2 * tile_size * sizeof(T));
      re[0] = T(1);
      run_resident(context, re, im, bound);
      expectation_of_tile(sums, context.table, re, im, tile_size, out + row * num_observables);
    }
  });
}

#define QSIM_INSTANTIATE(T)                                                                                       \
  template void apply<T>(const Tape&, std::complex<T>*, std::int64_t, const double*, std::int64_t, int);          \
  template void run_expectation<T>(const Tape&, const PauliSums&, std::int64_t, const double*, std::int64_t, int, \
                                   double*);
QSIM_INSTANTIATE(float)
QSIM_INSTANTIATE(double)
#undef QSIM_INSTANTIATE

}  // namespace qsim
