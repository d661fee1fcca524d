// The tape's records, field for field as in qsim/program/tape.py (a test compares the two).
#pragma once

#include <cstddef>
#include <cstdint>

namespace qsim {

enum class Pattern : std::uint8_t { kDiagonal = 0, kPermutation = 1, kDense = 2, kPauliRotation = 3, kPrepare = 4 };

struct Instruction {
  std::uint8_t pattern;
  std::uint8_t num_targets;
  std::uint16_t num_terms;  // 0: constant; else const + sum of cos/sin terms of the angle
  std::int32_t slot;        // column of the angles; -1: angle = shift
  std::uint64_t ctrl_mask;
  std::uint64_t ctrl_value;
  std::uint64_t x_mask;  // Pauli rotations only
  std::uint64_t z_mask;
  std::int32_t targets;  // offset into the pool of integers
  std::int32_t reserved;
  std::int64_t data;  // offset into the pool of constants
  double scale;       // angle = scale * angles[row, slot] + shift
  double shift;
};

static_assert(sizeof(Instruction) == 72, "the layout is shared with Python");
static_assert(offsetof(Instruction, slot) == 4 && offsetof(Instruction, ctrl_mask) == 8 &&
                  offsetof(Instruction, x_mask) == 24 && offsetof(Instruction, targets) == 40 &&
                  offsetof(Instruction, data) == 48 && offsetof(Instruction, shift) == 64,
              "the layout is shared with Python");

struct Segment {
  std::int64_t start;
  std::int64_t stop;
  std::uint64_t active;  // qubits that must be inside a tile
  std::uint8_t whole;    // 1: one instruction that works on the whole state
  std::uint8_t reserved[7];
};

static_assert(sizeof(Segment) == 32 && offsetof(Segment, whole) == 24, "the layout is shared with Python");

constexpr int kTileLowBits = 6;     // a run of 2^6 amplitudes is always inside a tile
constexpr int kTileActiveBits = 8;  // qubits above those that may be active in one segment
constexpr int kMaxTileBits = kTileLowBits + kTileActiveBits;
constexpr int kMaxFusedTileBits = 16;  // tiles of fused programs: half a megabyte

/// Sizes of a tile: the lowest qubits are always inside, and so many others.
struct TileShape {
  int low_bits;
  int active_bits;
};

}  // namespace qsim
