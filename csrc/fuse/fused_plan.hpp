// A schedule laid out for one instruction set and precision, and the numbers of one row of angles.
#pragma once

#include <complex>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "../execute/plan.hpp"
#include "schedule.hpp"

namespace qsim {

/// Rotations of up to kMaxMixQubits qubits that select registers, or of all that select lanes.
struct MixPlan {
  MixOp op;
  std::int32_t words[kMaxLaneBits];
  std::uint8_t patterns[kMaxLaneBits];  // lanes: bit of each qubit
  std::uint8_t count;
  bool in_lanes;
  bool phased = false;  // `phases` holds factors among its own qubits, to be applied before each rotation
  std::vector<std::int32_t> phases[kMaxLaneBits] = {};
};

/// Phases of one step. Pairs of qubits inside a block make a table; what the other qubits say to a block is one
/// factor per qubit of the block, looked up for four of them at a time.
struct PhasePlan {
  struct Pair {
    std::int8_t qubits[2];
  };
  struct Row {  // a qubit and the nibbles of the index it is coupled to
    std::int8_t qubit;
    std::int8_t position;  // inside the block; -1: outside, so that it adds to the constant
    std::int32_t first, last;  // range of `nibbles`
  };
  std::vector<std::int32_t> factors;
  std::vector<std::int32_t> factor_pairs;  // of each factor: the pair, or -1
  std::vector<Pair> pairs;
  std::vector<Row> rows;
  std::vector<std::int8_t> nibbles;      // qubits 4 k to 4 k + 3 are nibble k
  std::vector<std::int32_t> pair_places;  // index into the nibble tables where a pair acts first; -1: inside
  std::uint64_t block_mask = 0;           // qubits inside a block
  bool has_table = false, has_products = false;
};

/// Exchanges of a run of X, CX and SWAP: one affine map of the index inside a tile.
struct PermutePlan {
  struct Exchange {
    std::int8_t target, other;     // a SWAP exchanges the two; else `other` is a control, or -1
    bool swaps;
    bool control_value;
    std::uint64_t outer_mask, outer_value;  // controls outside the tile
  };
  std::vector<Exchange> exchanges;  // places inside the tile
};

enum class FusedKind : std::uint8_t { kMixes, kPhases, kGeneric, kPermute, kTap };

/// Strings that are read before a step. Those of one x share the products conj(lambda[j ^ x]) psi[j].
struct TapPlan {
  struct Group {
    std::uint64_t x_block;  // of the number of a block
    std::uint32_t x;        // of the place inside a block
    // bits of places inside a block and, above kMaxBlockBits, of qubits outside; signed sums of real (imaginary) parts
    std::vector<std::uint64_t> z[2];
    std::size_t first_sum;  // those of the real parts, then those of the imaginary parts
  };
  struct Use {  // a string of a tap
    std::int32_t tap, string;
    std::int8_t sign;
    std::size_t sum;  // of the segment
  };
  std::vector<Group> groups;
  std::vector<Use> uses;
  std::vector<std::int32_t> taps;
};

struct FusedStep {
  FusedKind kind;
  bool blocked;        // stays inside a block
  std::int32_t index;  // MixPlan, PhasePlan, PlannedOp or PermutePlan
  std::int32_t taps = -1;  // TapPlan
};

struct FusedSegment {
  PlannedSegment planned;  // layout; `whole`: ops[first] alone
  std::int32_t first, last;  // range of FusedPlan::steps
  std::size_t num_sums = 0;
};

struct FusedPlan {
  NormalForm form;
  Schedule schedule;
  std::unique_ptr<Tape> generic_tape;
  Plan generic;
  int block_bits;
  bool from_zero;
  std::vector<FusedSegment> segments;
  std::vector<FusedStep> steps;
  std::vector<MixPlan> mixes;
  std::vector<PhasePlan> phases;
  std::vector<PermutePlan> permutes;
  std::vector<TapPlan> taps;
  std::vector<std::int32_t> slots;  // that tell the taps of a reverse tape
};

template <class T>
FusedPlan make_fused_plan(const Tape& tape, int isa, TileShape shape, bool from_zero);
/// Of a reverse tape, whose instructions of slots that are not negative are taps. Nothing where fusion cannot read them.
template <class T>
std::optional<FusedPlan> make_sweep_plan(const Tape& tape, int isa, TileShape shape, const std::vector<std::int32_t>& slots);

template <class T>
struct BoundMix {
  T t[kMaxMixQubits];
  std::uint8_t flips, reflects;
  std::uint8_t phased = 0;     // lanes: rotations with phases before them
  PhasedMix<T> with_phases;    // registers, where the plan says so
  std::vector<T> lanes;        // own and other of each qubit
  std::vector<T> lane_phases;  // of each qubit
};

/// Phases at given angles, in double precision where they are multiplied up for each block.
template <class T>
struct BoundPhases {
  Complex constant;
  std::vector<Complex> factors;        // of each qubit
  std::vector<Complex> pairs;          // of each pair
  std::vector<Complex> nibble_tables;  // 16 for each of PhasePlan::nibbles
  const T* table = nullptr;            // real, then imaginary parts over a block: see bind_tables
};

template <class T>
struct BoundPlan {
  std::vector<Complex> product;  // two amplitudes for each qubit
  std::vector<BoundMix<T>> mixes;
  std::vector<BoundPhases<T>> phases;
  std::vector<double> scales;  // left over at the end of each segment
  std::vector<double> excess;  // before each step, of what is stored over the amplitude
  std::vector<std::vector<double>> taps;  // of each TapPlan, one coefficient for each use
  std::vector<AlignedBuffer> tables;  // of the segment that runs
  AlignedBuffer generic;
};

/// Without the detour for infinities that the operator takes.
inline Complex times(Complex a, Complex b) {
  return {a.real() * b.real() - a.imag() * b.imag(), a.real() * b.imag() + a.imag() * b.real()};
}

/// False if some matrix is not unitary at these angles: then the tape must run as it is.
template <class T>
bool bind_fused(const Tape& tape, const FusedPlan& plan, int lanes, const double* angles, BoundPlan<T>& out);
/// Phase tables of one segment, in place of those of the one before: there are only so many at a time.
template <class T>
void bind_tables(const FusedPlan& plan, const FusedSegment& segment, BoundPlan<T>& out);

}  // namespace qsim
