// What an instruction-set object exports: one table of plain function pointers.
//
// A tile holds 2^tile_bits amplitudes, real and imaginary parts in two arrays, both aligned to 64 bytes. A
// register is one SIMD vector of it: the lowest lane_bits index bits are lanes, the bits above number the
// registers. All masks and offsets of a TileOp count registers.
//
// An instruction that has a pass to itself needs no tile: the whole state, still interleaved, serves as one, and each
// register is split and joined on its way. Hence two sets of kernels from one source (Layout in tile.inl).
#pragma once

#include <cstddef>
#include <cstdint>

#include "instruction.hpp"

namespace qsim {

constexpr int kMaxFastTargets = 5;  // dense, permutation and small diagonals up to here have SIMD kernels
constexpr int kMaxGroup = 1 << kMaxFastTargets;
constexpr int kMaxLanes = 16;
constexpr int kMaxMoves = 5 * kMaxGroup;
constexpr std::size_t kAlignment = 64;

/// One instruction, laid out for a tile. Groups are the sets of registers that differ only in the targets.
struct TileOp {
  std::uint64_t fixed_mask;  // register bits that do not number groups: targets and controls
  std::uint64_t ctrl_value;  // register bits the controls ask for
  std::uint64_t num_groups;
  std::uint8_t num_high;  // targets that select registers
  std::uint8_t num_low;   // targets inside a register
  std::uint8_t uniform;   // 1: coefficients are scalars, the same for all lanes
  std::uint8_t num_moves;
  std::uint8_t num_members;  // permutations: members of a group that change, offsets[0 .. num_members - 1]
  std::uint8_t has_phases;
  std::uint64_t offsets[kMaxGroup];    // register of group member g is base + offsets[g]
  std::uint8_t lane_xors[kMaxLanes];   // lane permutation of each pattern of low targets
  std::uint64_t x_high, z_high;        // Pauli rotations: register bits
  std::uint32_t x_low;                 // Pauli rotations: lane bits
  std::uint32_t lane_mask, lane_value; // big diagonals: controls inside a register
  const std::uint32_t* register_entry; // big diagonals: table index of each register
  const std::uint32_t* lane_entry;     // big diagonals: table index of each lane
  std::uint8_t contiguous;             // big diagonals: lanes are consecutive table entries
};

/// One register's share of a permutation: lanes of `dest` in the mask come from `source`, permuted.
/// In the table of moves each is followed by lane indices and the mask, as integers as wide as T.
struct Move {
  std::uint8_t dest, source;
  std::uint8_t keeps_lanes;  // 1: no lane changes place
  std::uint8_t all_lanes;    // 1: the mask is full
};

/// Applies an instruction to groups first .. last - 1. `outer`: what the index bits outside the tile say (diagonal:
/// part of the table index; Pauli rotation: sign). Interleaved: `re` points to the amplitudes, `im` is not used.
template <class T>
using TileKernel = void (*)(T* re, T* im, const TileOp& op, const T* coefficients, std::uint64_t outer,
                            std::uint64_t first, std::uint64_t last);

template <class T>
struct TileKernels {
  TileKernel<T> apply_diagonal;
  TileKernel<T> apply_permutation;
  TileKernel<T> apply_swap;            // a permutation that exchanges offsets[0] and offsets[1]
  TileKernel<T> apply_dense[4][4][2];  // [num_high][num_low][uniform], num_high + num_low <= 3
  TileKernel<T> apply_dense_any[2];    // [uniform], up to kMaxFastTargets targets
  TileKernel<T> apply_pauli_rotation;
};

constexpr int kMaxBlockBits = 11;  // a block of a tile that stays in L1
constexpr int kMaxMixQubits = 3;   // qubits whose real rotations share one load
constexpr int kMaxLaneBits = 4;

/// Real rotations of qubits that select registers: strides[k] is the register bit of the k-th.
struct MixOp {
  std::uint64_t fixed_mask;  // all strides
  std::uint64_t strides[kMaxMixQubits];
};

/// Rotations one after the other: before the k-th the members in phased[k] are multiplied by phases[k], then every
/// pair (a, b) becomes (a + p b, q a + r b). Members are numbered as they lie in registers.
template <class T>
struct PhasedMix {
  T matrix[kMaxMixQubits][3];  // p, q, r
  T phases[kMaxMixQubits][2 << kMaxMixQubits];
  std::uint8_t phased[kMaxMixQubits];
  std::uint8_t flips;
};

/// An affine map over GF(2) of the index inside a tile: place y of the result comes from
/// constant ^ columns[i] for every bit i of y.
struct AffineMap {
  std::uint32_t constant;
  std::uint32_t columns[kMaxFusedTileBits];
};

/// What fused programs (fuse/) are made of; described in fused.inl.
template <class T>
struct FusedKernels {
  void (*mix_registers[kMaxMixQubits][1 << kMaxMixQubits])(T* re, T* im, const MixOp& op, const T* t, unsigned flips,
                                                          std::uint64_t first, std::uint64_t last);
  void (*mix_with_phases[kMaxMixQubits])(T* re, T* im, const MixOp& op, const PhasedMix<T>& mix, std::uint64_t first,
                                         std::uint64_t last);
  void (*mix_lanes[kMaxLaneBits])(T* re, T* im, const std::uint8_t* patterns, const T* coefficients, unsigned phased,
                                  const T* phases, std::size_t registers);
  /// 2^bits amplitudes from one buffer to another.
  void (*permute_tile)(const T* from_re, const T* from_im, T* re, T* im, int bits, const AffineMap& map);
  void (*write_product)(T* re, T* im, int bits, const T* constant, const T* factors);
  void (*multiply_phases)(T* re, T* im, int bits, const T* constant, const T* factors, const T* table);
};

/// Sums over blocks of `count` amplitudes or real numbers, a power of two and no less than the lanes.
template <class T>
struct PauliKernels {
  /// Squared absolute values of interleaved amplitudes.
  void (*squares)(const T* amplitudes, T* out, std::size_t count);
  /// Real and imaginary parts (either may be null) of conj(b[j ^ x]) * a[j], x < count.
  void (*products)(const T* a_re, const T* a_im, const T* b_re, const T* b_im, std::size_t count, std::size_t x, T* re,
                   T* im);
  /// For each mask z adds the sum of (-1)^popcount((base + j) & z) * values[j] over the j that share a lane to
  /// sums[lane], without the sign of the lane itself. Bits of `base` are outside the block. `sums` has as many numbers
  /// for each mask as a register has lanes; `values` are overwritten.
  void (*add_signed_sums)(T* values, std::size_t count, const std::uint64_t* z_masks, std::size_t num_masks,
                          std::uint64_t base, double* sums);
  /// values[j] = sum of (-1)^popcount((base + j) & z) * c over the masks z and their coefficients c.
  void (*signed_table)(const std::uint64_t* z_masks, const double* coefficients, std::size_t num_masks,
                       std::uint64_t base, std::size_t count, T* values);
  /// (re, im)[j] += table[j] * a[j ^ x], x < count; times -i if `turned`. Without a table `scale` stands for it.
  void (*add_products)(const T* a_re, const T* a_im, std::size_t count, std::size_t x, const T* table, T scale,
                       bool turned, T* re, T* im);
  /// For each bit adds the products values[j] * values[j ^ bit], in parts, to a register of doubles of `sums`. Up to
  /// four bits inside a register, where first and last count registers; or up to four beyond, where they count groups
  /// of registers that differ in the bits.
  void (*flip_sums)(const T* values, std::uint64_t first, std::uint64_t last, const std::uint64_t* bits, int num_bits,
                    double* sums);
};

constexpr std::size_t kGuideWindow = 8;  // values compared at once, without a branch

/// Ascending values, and a table of equally wide steps that says where to begin a search: steps[k] values are on steps
/// below k. Behind the values stand kGuideWindow more that are above every goal.
struct Guide {
  const double* values;
  const std::uint32_t* steps;  // num_steps + 1
  std::size_t num_steps;
  double start, scale;  // v is on step (v - start) * scale
};

constexpr int kMaxLaneQubits = 16;  // of a batch whose members are lanes
constexpr int kMaxLaneMix = 4;      // turns that share one load, forwards ...
constexpr int kMaxLaneUnmix = 3;    // ... and backwards, where the cotangent takes as many registers again
constexpr int kMaxLaneDense = 3;    // qubits of a constant matrix
constexpr double kMaxReduced = 1e6;  // angles up to here are reduced by lane kernels

/// Indices of a coset over GF(2): start, and after 2^bits - 1 steps each of its other elements. Step i xors
/// steps[number of zeros at the end of i].
struct LaneWalk {
  std::uint32_t start;
  int bits;
  std::uint32_t steps[kMaxLaneQubits];
};

/// Indices of amplitudes as xors of two short lists, and for each of the second list the table of phases to use.
struct LanePhases {
  int low_bits, high_bits;
  const std::uint32_t *low, *high;
  const std::uint8_t* variants;
};

/// For batches: a lane is a member. Described in lanes.inl.
template <class T>
struct LaneKernels {
  void (*mix[kMaxLaneMix])(T* state, const LaneWalk& walk, const std::uint32_t* offsets, const T* coefficients);
  void (*unmix[kMaxLaneUnmix])(T* state, T* cotangent, const LaneWalk& walk, const std::uint32_t* offsets,
                               const T* coefficients, bool undo_state, bool undo_cotangent, double* sums);
  void (*phases[2])(T* const* states, int num_states, const LanePhases& plan, const T* tables, const T* factors,
                    double* overlaps, bool apply);  // [inverse]
  void (*dense[kMaxLaneDense])(T* state, const LaneWalk& walk, const std::uint32_t* offsets, const T* matrix);
  void (*constant_phases)(T* state, std::size_t dim, const T* table, bool real, bool inverse);
  void (*product)(T* state, const std::uint32_t* x, const T* cos_sin, std::size_t count);
  void (*polar)(const double* angles, std::size_t count, T* out);
  void (*turns)(const double* angles, std::size_t count, T* out);
  void (*diagonal_values)(const T* state, std::size_t dim, const double* const* diagonals, std::size_t count,
                          double* out);
  void (*string_value)(const T* state, std::size_t dim, std::uint32_t x, const double* table, double* out);
  void (*apply_strings)(const T* state, T* out, std::size_t dim, std::uint32_t x, const double* table, bool real,
                        bool add);
  void (*overlap)(const T* a, const T* b, std::size_t dim, double* out);
  bool (*angles)(const double* theta, std::size_t num_lanes, std::size_t count, const double* constants,
                 const std::int32_t* first, const std::int32_t* slots, const double* weights, double* out);
  void (*walsh)(double* values, std::size_t num_lanes, int bits);
};

constexpr int kPeakChains = 12;  // enough to hide the latency of a multiply-add

template <class T>
struct Kernels {
  TileKernels<T> tile;         // real and imaginary parts apart
  TileKernels<T> interleaved;  // on the state itself
  FusedKernels<T> fused;
  TileKernel<T> apply_diagonal_table;
  /// Interleaved complex numbers to two arrays, and back. `count` is a multiple of the lanes. `next`, if any, is
  /// fetched into the cache meanwhile.
  void (*split)(const T* amplitudes, T* re, T* im, std::size_t count);
  void (*join)(const T* re, const T* im, T* amplitudes, std::size_t count, const T* next);
  /// y[b] = M x[b] for `count` <= 4 vectors; M packed by rows of registers, x and y as (count, 2, dim).
  void (*multiply)(const T* matrix, int dim, const T* x, T* y, int count, int first_row, int last_row);
  /// Any count, here and below; results in double precision.
  void (*abs_squared)(const T* amplitudes, double* out, std::size_t count);
  double (*sum_squares)(const T* amplitudes, std::size_t count);
  void (*inner_product)(const T* a, const T* b, std::size_t count, double* sum_re_im);
  PauliKernels<T> pauli;
  LaneKernels<T> lanes;
  double (*multiply_add)(std::int64_t rounds);  // kPeakChains registers each time
};

struct KernelTable {
  const char* name;
  int vector_bytes;
  Kernels<float> single_precision;
  Kernels<double> double_precision;
  /// Numbers first + i of the stream `key` (first + shots[i], if given), times the total.
  void (*draw_goals)(std::uint64_t key, std::uint64_t first, const std::uint32_t* shots, std::size_t count,
                     double total, double* goals);
  void (*fill_steps)(const double* values, std::size_t count, double start, double scale, std::uint32_t* steps,
                     std::size_t num_steps);
  /// For each goal the first place with a value above it.
  void (*find_places)(const Guide& guide, const double* goals, std::size_t count, std::uint32_t* places);
  /// In place: sums of the values whose indices differ only in `bits`, in order of the other bits; count a power of 2.
  void (*sum_over_bits)(double* values, std::size_t count, std::uint64_t bits);
};

template <class T>
const Kernels<T>& kernels_for(const KernelTable& table);
template <>
inline const Kernels<float>& kernels_for<float>(const KernelTable& table) {
  return table.single_precision;
}
template <>
inline const Kernels<double>& kernels_for<double>(const KernelTable& table) {
  return table.double_precision;
}

extern const KernelTable kernels_baseline;
#if defined(QSIM_X86)
extern const KernelTable kernels_avx2;
extern const KernelTable kernels_avx512;
#endif

}  // namespace qsim
