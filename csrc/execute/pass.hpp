// What a pass over the state is made of: the way into a tile and back, and instructions on it.
#pragma once

#include <algorithm>
#include <utility>

#include "../dispatch.hpp"
#include "bits.hpp"
#include "group.hpp"
#include "plan.hpp"
#include "threads.hpp"
#include "workspace.hpp"

namespace qsim {

/// What one pass needs, gathered once per call.
template <class T>
struct Context {
  Context(const Tape& the_tape, int the_isa, const Plan& the_plan)
      : tape(the_tape),
        isa(the_isa),
        table(kernel_table(isa)),
        kernels(kernels_for<T>(table)),
        lanes(table.vector_bytes / int(sizeof(T))),
        plan(the_plan) {}
  explicit Context(const Tape& the_tape) : Context(the_tape, current_isa()) {}
  Context(const Tape& the_tape, int the_isa) : Context(the_tape, the_isa, the_tape.plan<T>(the_isa)) {}
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
inline std::uint64_t outer_of(const Plan& plan, const PlannedOp& op, std::uint64_t base) {
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
  int positions[kMaxFusedTileBits];
  for (int i = 0; i < op.instruction->num_targets; ++i)
    positions[i] = position_of(context.tape.targets(*op.instruction)[i], layout.inside);
  apply_groups<T>(context.tape, op, coefficients, TileAccess<T>{re, im}, positions, op.ctrl_mask, op.ctrl_value,
                  layout.tile_bits, context.table, 1);
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

/// Between real and imaginary parts: a load that differs from a recent store by a multiple of 4096 bytes would wait
/// for it.
constexpr std::size_t kTileGapBytes = 2048 + 2 * kAlignment;

/// Real parts of a tile, and imaginary parts.
template <class T>
std::pair<T*, T*> tile_buffer(AlignedBuffer& buffer, int tile_bits, std::size_t first_byte = 0) {
  const std::size_t size = std::size_t{1} << tile_bits, gap = kTileGapBytes / sizeof(T);
  T* const re = buffer.array<T>(2 * size + gap + first_byte / sizeof(T)) + first_byte / sizeof(T);
  return {re, re + size + gap};
}

constexpr std::uint64_t kStreamedGroups = 1 << 14;  // registers or pairs of them: about a megabyte a chunk

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

/// One instruction on the whole state.
template <class T>
void run_whole(const Context<T>& context, const PlannedOp& op, T* state, const void* bound, int threads) {
  const Instruction& instruction = *op.instruction;
  apply_groups<T>(context.tape, op, coefficients_of(context, op, bound),
                  StateAccess<T>{reinterpret_cast<std::complex<T>*>(state)}, context.tape.targets(instruction),
                  instruction.ctrl_mask, instruction.ctrl_value, context.tape.num_qubits, context.table, threads);
}

/// One instruction on the tile that starts at amplitude `base`.
template <class T>
void run_op(const Context<T>& context, const TileLayout& layout, const PlannedOp& op, std::uint64_t base, T* re, T* im,
            const void* bound) {
  if ((base & op.outer_ctrl_mask) != op.outer_ctrl_value) return;
  const void* const coefficients = coefficients_of(context, op, bound);
  if (op.kernel == nullptr) return apply_groups_in_tile(context, layout, op, coefficients, re, im);
  const std::uint64_t outer = base == 0 ? 0 : outer_of(context.plan, op, base);
  reinterpret_cast<TileKernel<T>>(op.kernel)(re, im, op.tile, static_cast<const T*>(coefficients), outer, 0,
                                              op.tile.num_groups);
}

/// One pass over a state bigger than a tile.
template <class T>
void run_segment(const Context<T>& context, const PlannedSegment& segment, T* state, const void* bound, int threads);

/// The coefficients of one row of angles, in memory that lives as long as the caller's call.
template <class T>
const void* bind_angles(const Context<T>& context, const double* angles) {
  void* const bound = workspace().coefficients.ensure(context.plan.bound_bytes);
  bind_row<T>(context.tape, context.plan, context.lanes, angles, bound);
  return bound;
}

}  // namespace qsim
