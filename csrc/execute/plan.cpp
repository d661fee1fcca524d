#include "plan.hpp"

#include <algorithm>

#include "bits.hpp"
#include "threads.hpp"

namespace qsim {
namespace {

// A pass with few instructions streams best through a tile inside L1; with many, a bigger tile means fewer passes.
constexpr std::size_t kStreamingTileBytes = std::size_t{16} << 10;
constexpr std::int64_t kStreamingInstructions = 4;
constexpr int kMaxStreams = 2;  // high targets of an instruction that runs without tiles: 4 streams of memory

template <class T>
int wanted_tile_bits(std::int64_t num_instructions) {
  if (num_instructions > kStreamingInstructions) return kMaxTileBits;
  int bits = 0;
  while ((2 * sizeof(T)) << (bits + 1) <= kStreamingTileBytes) ++bits;
  return bits;
}

/// Cuts a tape as its segments say.
template <class T>
class Planner {
 public:
  Planner(const Tape& tape, int isa)
      : tape_(tape), lane_bits_(log2_of(kernel_table(isa).vector_bytes / sizeof(T))), ops_(tape, isa, plan_) {}

  Plan make() {
    plan_.resident = tape_.num_qubits <= kMaxTileBits;
    plan_.ops.reserve(tape_.instructions.size());
    for (const Segment& segment : tape_.segments) {
      PlannedSegment planned;
      choose_layout(segment, planned);
      planned.first = plan_.ops.size();
      for (std::int64_t i = segment.start; i < segment.stop; ++i) ops_.add(tape_.instructions[i], planned);
      planned.last = plan_.ops.size();
      plan_.segments.push_back(std::move(planned));
    }
    ops_.finish();
    return std::move(plan_);
  }

 private:
  void choose_layout(const Segment& segment, PlannedSegment& planned) {
    const int n = tape_.num_qubits;
    if (plan_.resident) {
      planned.layout = make_layout(n, lane_bits_, (std::uint64_t{1} << n) - 1, n, kTileLowBits);
      return;
    }
    const Instruction& first = tape_.instructions[segment.start];
    // Of a whole segment `active` may say more than the instruction needs, and more than fits a tile.
    const std::uint64_t active = segment.whole ? tape_.active_qubits(first) : segment.active;
    const std::uint64_t high = active & ~((std::uint64_t{1} << kTileLowBits) - 1);
    const bool fits = popcount(high) <= kTileActiveBits && Pattern(first.pattern) != Pattern::kPrepare;
    if (segment.stop == segment.start + 1 && can_stream(first)) {
      planned.layout = make_whole_layout(n);
      planned.streamed = true;
    } else if (segment.whole && !fits) {
      planned.whole = true;
    } else {
      planned.layout = make_layout(n, lane_bits_, active, wanted_tile_bits<T>(segment.stop - segment.start), kTileLowBits);
    }
  }

  /// True if the groups touch so few distant places at once that the state need not be staged through a tile.
  bool can_stream(const Instruction& instruction) const {
    if (Pattern(instruction.pattern) == Pattern::kPauliRotation) return true;
    if (Pattern(instruction.pattern) == Pattern::kPrepare || instruction.num_targets > kMaxFastTargets) return false;
    int num_high = 0;
    for (int i = 0; i < instruction.num_targets; ++i) num_high += tape_.targets(instruction)[i] >= lane_bits_;
    return num_high <= kMaxStreams;
  }

  const Tape& tape_;
  const int lane_bits_;
  Plan plan_;
  OpPlanner<T> ops_;
};

}  // namespace

TileLayout make_whole_layout(int num_qubits) {
  TileLayout layout;
  layout.tile_bits = layout.run_bits = num_qubits;
  layout.inside = (std::uint64_t{1} << num_qubits) - 1;
  return layout;
}

TileLayout make_layout(int num_qubits, int lane_bits, std::uint64_t active, int wanted_bits, int low_bits) {
  TileLayout layout;
  const int low = std::min(num_qubits, low_bits);
  std::uint64_t inside = active | ((std::uint64_t{1} << low) - 1);
  for (int q = low; q < num_qubits && popcount(inside) < wanted_bits; ++q) inside |= std::uint64_t{1} << q;
  layout.inside = inside;
  const int num_inside = popcount(inside);
  layout.tile_bits = std::max(num_inside, lane_bits);
  while ((inside >> layout.run_bits) & 1) ++layout.run_bits;
  const std::uint64_t high = inside & ~((std::uint64_t{1} << layout.run_bits) - 1);
  layout.run_offsets.resize(std::size_t{1} << popcount(high));
  for (std::size_t r = 0; r < layout.run_offsets.size(); ++r) layout.run_offsets[r] = deposit_bits(r, high);
  layout.num_tiles = std::uint64_t{1} << (num_qubits - num_inside);
  return layout;
}

template <class T>
OpPlanner<T>::OpPlanner(const Tape& tape, int isa, Plan& plan)
    : tape_(tape),
      all_kernels_(kernels_for<T>(kernel_table(isa))),
      lanes_(kernel_table(isa).vector_bytes / int(sizeof(T))),
      lane_bits_(log2_of(std::uint64_t(lanes_))),
      plan_(plan) {}

template <class T>
void OpPlanner<T>::add(const Instruction& instruction, const PlannedSegment& segment) {
  checkpoint();
  plan_.ops.push_back(plan_op(instruction, segment));
}

template <class T>
PlannedOp OpPlanner<T>::plan_op(const Instruction& instruction, const PlannedSegment& segment) {
  PlannedOp op{};
  op.instruction = &instruction;
  op.constant = instruction.num_terms == 0 && Pattern(instruction.pattern) != Pattern::kPauliRotation;
  if (instruction.slot < 0) op.constant = true;
  if (!segment.whole) lay_out(instruction, segment.layout, op);
  op.is_table = Pattern(instruction.pattern) == Pattern::kDiagonal && instruction.num_targets > kMaxFastTargets;
  choose_kernel(op, segment.streamed ? all_kernels_.interleaved : all_kernels_.tile);
  std::size_t& bytes = op.constant ? constant_bytes_ : plan_.bound_bytes;
  op.coefficients = bytes;
  bytes += (coefficient_bytes<T>(op, lanes_) + kAlignment - 1) / kAlignment * kAlignment;
  if (instruction.num_terms > 0 && !op.is_table) {
    const int k = instruction.num_targets;
    plan_.bound_entries =
        std::max(plan_.bound_entries,
                 std::size_t{1} << (Pattern(instruction.pattern) == Pattern::kDense ? 2 * k : k));
  }
  return op;
}

/// Sorts controls, targets and masks into outside the tile, registers, and lanes.
template <class T>
void OpPlanner<T>::lay_out(const Instruction& instruction, const TileLayout& layout, PlannedOp& op) {
  const std::uint64_t inside = layout.inside;
  TileOp& tile = op.tile;
  op.outer_ctrl_mask = instruction.ctrl_mask & ~inside;
  op.outer_ctrl_value = instruction.ctrl_value & ~inside;
  op.ctrl_mask = extract_bits(instruction.ctrl_mask, inside);
  op.ctrl_value = extract_bits(instruction.ctrl_value, inside);
  const std::uint32_t lane_mask = std::uint32_t(op.ctrl_mask) & (lanes_ - 1);
  const std::uint32_t lane_value = std::uint32_t(op.ctrl_value) & (lanes_ - 1);
  for (int lane = 0; lane < lanes_; ++lane)
    if ((std::uint32_t(lane) & lane_mask) != lane_value) op.lanes_off |= std::uint16_t(1u << lane);
  tile.lane_mask = lane_mask;
  tile.lane_value = lane_value;
  tile.fixed_mask = op.ctrl_mask >> lane_bits_;
  tile.ctrl_value = op.ctrl_value >> lane_bits_;

  if (Pattern(instruction.pattern) == Pattern::kPauliRotation) {
    lay_out_pauli(instruction, layout, op);
  } else if (Pattern(instruction.pattern) == Pattern::kDiagonal && instruction.num_targets > kMaxFastTargets) {
    lay_out_table(instruction, layout, op);
  } else if (instruction.num_targets <= kMaxFastTargets) {
    lay_out_targets(instruction, inside, op);
  }
  const int register_bits = layout.tile_bits - lane_bits_;
  tile.num_groups = std::uint64_t{1} << (register_bits - popcount(tile.fixed_mask));
}

template <class T>
void OpPlanner<T>::lay_out_targets(const Instruction& instruction, std::uint64_t inside, PlannedOp& op) {
  TileOp& tile = op.tile;
  std::uint64_t high[kMaxFastTargets] = {};
  std::uint8_t low[kMaxFastTargets] = {};
  op.first_outer = std::uint32_t(plan_.outer_targets.size());
  for (int i = 0; i < instruction.num_targets; ++i) {
    const int qubit = tape_.targets(instruction)[i];
    if (!((inside >> qubit) & 1)) {
      plan_.outer_targets.push_back({std::uint8_t(qubit), std::uint8_t(i)});
      ++op.num_outer;
      continue;
    }
    const int position = position_of(qubit, inside);
    if (position < lane_bits_) {
      low[tile.num_low++] = std::uint8_t(1u << position);
      for (int lane = 0; lane < lanes_; ++lane)
        if ((lane >> position) & 1) op.lane_entry[lane] |= std::uint8_t(1u << i);
    } else {
      high[tile.num_high] = std::uint64_t{1} << (position - lane_bits_);
      tile.fixed_mask |= high[tile.num_high];
      op.high_entry[tile.num_high++] = std::uint8_t(i);
    }
  }
  for (int g = 0; g < (1 << tile.num_high); ++g)
    for (int i = 0; i < tile.num_high; ++i)
      if ((g >> i) & 1) tile.offsets[g] |= high[i];
  for (int x = 0; x < (1 << tile.num_low); ++x)
    for (int i = 0; i < tile.num_low; ++i)
      if ((x >> i) & 1) tile.lane_xors[x] |= low[i];
  tile.uniform = tile.num_low == 0 && op.lanes_off == 0;
}

template <class T>
void OpPlanner<T>::lay_out_pauli(const Instruction& instruction, const TileLayout& layout, PlannedOp& op) {
  TileOp& tile = op.tile;
  const std::uint64_t x = extract_bits(instruction.x_mask, layout.inside);
  const std::uint64_t z = extract_bits(instruction.z_mask, layout.inside);
  op.outer_z = instruction.z_mask & ~layout.inside;
  tile.x_low = std::uint32_t(x) & (lanes_ - 1);
  tile.x_high = x >> lane_bits_;
  tile.z_high = z >> lane_bits_;
  for (int lane = 0; lane < lanes_; ++lane) op.lane_entry[lane] = std::uint8_t(parity(z & std::uint64_t(lane)));
  if (tile.x_high != 0) tile.fixed_mask |= std::uint64_t{1} << log2_of(tile.x_high);
}

template <class T>
void OpPlanner<T>::lay_out_table(const Instruction& instruction, const TileLayout& layout, PlannedOp& op) {
  TileOp& tile = op.tile;
  const int register_bits = layout.tile_bits - lane_bits_;
  std::vector<std::uint32_t> registers(std::size_t{1} << register_bits), lanes(lanes_);
  bool contiguous = op.lanes_off == 0 && instruction.num_targets >= lane_bits_;
  op.first_outer = std::uint32_t(plan_.outer_targets.size());
  for (int i = 0; i < instruction.num_targets; ++i) {
    const int qubit = tape_.targets(instruction)[i];
    if (i < lane_bits_ && qubit != i) contiguous = false;
    if (!((layout.inside >> qubit) & 1)) {
      plan_.outer_targets.push_back({std::uint8_t(qubit), std::uint8_t(i)});
      ++op.num_outer;
      continue;
    }
    const int position = position_of(qubit, layout.inside);
    if (position < lane_bits_) {
      for (int lane = 0; lane < lanes_; ++lane)
        if ((lane >> position) & 1) lanes[lane] |= std::uint32_t(1) << i;
    } else {
      for (std::size_t r = 0; r < registers.size(); ++r)
        if ((r >> (position - lane_bits_)) & 1) registers[r] |= std::uint32_t(1) << i;
    }
  }
  tile.contiguous = contiguous;
  plan_.tables.push_back(std::move(registers));
  tile.register_entry = plan_.tables.back().data();
  plan_.tables.push_back(std::move(lanes));
  tile.lane_entry = plan_.tables.back().data();
}

template <class T>
void OpPlanner<T>::choose_kernel(PlannedOp& op, const TileKernels<T>& kernels) {
  const TileOp& tile = op.tile;
  TileKernel<T> kernel = nullptr;
  const bool fast = op.instruction->num_targets <= kMaxFastTargets;
  switch (Pattern(op.instruction->pattern)) {
    case Pattern::kDiagonal: kernel = op.is_table ? all_kernels_.apply_diagonal_table : kernels.apply_diagonal; break;
    case Pattern::kDense:
      if (!fast) break;
      kernel = tile.num_high + tile.num_low <= 3 ? kernels.apply_dense[tile.num_high][tile.num_low][tile.uniform]
                                                 : kernels.apply_dense_any[tile.uniform];
      break;
    case Pattern::kPermutation:
      if (fast) kernel = plan_permutation(op, kernels);
      break;
    case Pattern::kPauliRotation: kernel = kernels.apply_pauli_rotation; break;
    case Pattern::kPrepare: break;
  }
  op.kernel = reinterpret_cast<void (*)()>(kernel);
}

/// Finds which registers and lanes move; a plain exchange of two registers has its own kernel.
template <class T>
TileKernel<T> OpPlanner<T>::plan_permutation(PlannedOp& op, const TileKernels<T>& kernels) {
  TileOp& tile = op.tile;
  const std::complex<double>* phases = tape_.constants.data() + op.instruction->data;
  for (int j = 0; j < (1 << op.instruction->num_targets); ++j)
    if (phases[j] != 1.0) tile.has_phases = 1;
  if (tile.uniform && !tile.has_phases) {
    const std::int32_t* sources = tape_.targets(*op.instruction) + op.instruction->num_targets;
    int moved[2] = {}, num_moved = 0;
    for (int g = 0; g < (1 << tile.num_high); ++g)
      if (sources[g] != g) {
        if (num_moved < 2) moved[num_moved] = g;
        ++num_moved;
      }
    if (num_moved == 2) {
      const std::uint64_t first = tile.offsets[moved[0]], second = tile.offsets[moved[1]];
      tile.offsets[0] = first;
      tile.offsets[1] = second;
      return kernels.apply_swap;
    }
  }
  MoveList moves;
  find_moves(tape_, op, lanes_, moves);
  std::uint64_t offsets[kMaxGroup];
  std::copy(tile.offsets, tile.offsets + kMaxGroup, offsets);
  for (int m = 0; m < moves.num_members; ++m) tile.offsets[m] = offsets[moves.members[m]];
  tile.num_moves = std::uint8_t(moves.count);
  tile.num_members = std::uint8_t(moves.num_members);
  return kernels.apply_permutation;
}

template <class T>
void OpPlanner<T>::finish() {
  char* const out = static_cast<char*>(plan_.constants.ensure(std::max(constant_bytes_, kAlignment)));
  std::vector<std::complex<double>> scratch(plan_.bound_entries);
  for (PlannedOp& op : plan_.ops) {
    if (!op.constant || coefficient_bytes<T>(op, lanes_) == 0) continue;
    checkpoint();
    bind_op<T>(tape_, plan_, op, lanes_, op.instruction->shift, scratch.data(), out + op.coefficients);
  }
}

template <class T>
Plan make_plan(const Tape& tape, int isa) {
  return Planner<T>(tape, isa).make();
}

template class OpPlanner<float>;
template class OpPlanner<double>;
template Plan make_plan<float>(const Tape&, int);
template Plan make_plan<double>(const Tape&, int);

}  // namespace qsim
