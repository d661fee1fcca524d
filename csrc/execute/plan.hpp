// The plan of a tape: for each segment the shape of its tiles, for each instruction what its kernel needs,
// and the coefficients of everything that does not depend on the angles.
#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "../kernel_table.hpp"
#include "tape.hpp"
#include "workspace.hpp"

namespace qsim {

/// Which amplitudes of the state form a tile.
struct TileLayout {
  int tile_bits = 0;                       // log2 of the amplitudes in the buffer
  int run_bits = 0;                        // a tile is made of runs of 2^run_bits contiguous amplitudes ...
  std::vector<std::uint64_t> run_offsets;  // ... at these offsets from its first amplitude
  std::uint64_t inside = 0;                // qubits inside the tile
  std::uint64_t num_tiles = 1;
};

struct OuterTarget {  // a target of a diagonal outside the tile
  std::uint8_t qubit, entry_bit;
};

/// An instruction laid out for the tiles of its segment.
struct PlannedOp {
  TileOp tile;
  const Instruction* instruction;
  void (*kernel)();           // a TileKernel<T>; null: sub-amplitudes are gathered (group.hpp)
  std::size_t coefficients;   // byte offset into Plan::constants or the row's bound coefficients
  std::uint64_t outer_ctrl_mask, outer_ctrl_value;
  std::uint64_t outer_z;
  std::uint32_t first_outer;  // range of Plan::outer_targets
  std::uint8_t num_outer;
  bool constant;              // the coefficients do not depend on the angles
  bool is_table;              // a diagonal by table lookup
  std::uint8_t high_entry[kMaxFastTargets];  // matrix index bit of each target that selects registers
  std::uint8_t lane_entry[kMaxLanes];        // matrix index bits of each lane
  std::uint16_t lanes_off;                   // lanes whose controls do not match
  std::uint64_t ctrl_mask, ctrl_value;       // controls inside the tile, as tile index bits
};

struct PlannedSegment {
  TileLayout layout;
  bool whole = false;     // sub-amplitudes gathered from the whole state (group.hpp)
  bool streamed = false;  // one instruction on the state itself, without tiles
  std::size_t first = 0, last = 0;  // range of Plan::ops
};

struct Plan {
  std::vector<PlannedSegment> segments;
  std::vector<PlannedOp> ops;
  std::vector<OuterTarget> outer_targets;
  std::deque<std::vector<std::uint32_t>> tables;  // index tables the TileOps point into
  AlignedBuffer constants;
  std::size_t bound_bytes = 0;
  std::size_t bound_entries = 0;  // most matrix entries any instruction needs evaluated
  bool resident = false;          // the state fits a tile: all segments share one
};

template <class T>
Plan make_plan(const Tape& tape, int isa);

/// Tiles with these qubits inside, and the lowest others up to `wanted_bits` in all.
TileLayout make_layout(int num_qubits, int lane_bits, std::uint64_t active, int wanted_bits, int low_bits);

/// The state itself, as one tile.
TileLayout make_whole_layout(int num_qubits);

/// Lays out instructions one by one, at the end of a plan's list.
template <class T>
class OpPlanner {
 public:
  OpPlanner(const Tape& tape, int isa, Plan& plan);
  void add(const Instruction& instruction, const PlannedSegment& segment);
  /// To be called once, after the last one: writes the coefficients that do not depend on angles.
  void finish();

 private:
  PlannedOp plan_op(const Instruction& instruction, const PlannedSegment& segment);
  void lay_out(const Instruction& instruction, const TileLayout& layout, PlannedOp& op);
  void lay_out_targets(const Instruction& instruction, std::uint64_t inside, PlannedOp& op);
  void lay_out_pauli(const Instruction& instruction, const TileLayout& layout, PlannedOp& op);
  void lay_out_table(const Instruction& instruction, const TileLayout& layout, PlannedOp& op);
  void choose_kernel(PlannedOp& op, const TileKernels<T>& kernels);
  TileKernel<T> plan_permutation(PlannedOp& op, const TileKernels<T>& kernels);

  const Tape& tape_;
  const Kernels<T>& all_kernels_;
  int lanes_, lane_bits_;
  std::size_t constant_bytes_ = 0;
  Plan& plan_;
};

/// What a permutation of a tile's registers and lanes is made of.
struct MoveList {
  int num_members = 0;
  std::uint8_t members[kMaxGroup];  // group members that change; the moves count these
  int count = 0;
  Move moves[kMaxMoves];
  std::uint8_t lanes[kMaxMoves][kMaxLanes];  // lane each lane comes from
  std::uint16_t masks[kMaxMoves];            // lanes that the move writes
};
void find_moves(const Tape& tape, const PlannedOp& op, int lanes, MoveList& out);

/// Bytes of the coefficients of an instruction.
template <class T>
std::size_t coefficient_bytes(const PlannedOp& op, int lanes);
/// const + sum of cos and sin terms at `angle`: a pointer into the tape if there are no terms, else `scratch`.
const std::complex<double>* evaluate_entries(const Tape& tape, const Instruction& instruction, double angle,
                                             std::complex<double>* scratch);
/// Coefficients of one instruction at `angle`; `scratch` holds Plan::bound_entries numbers.
template <class T>
void bind_op(const Tape& tape, const Plan& plan, const PlannedOp& op, int lanes, double angle,
             std::complex<double>* scratch, void* out);
/// All coefficients that depend on the angles of one row.
template <class T>
void bind_row(const Tape& tape, const Plan& plan, int lanes, const double* angles, void* bound);

}  // namespace qsim
