// A checked, immutable copy of a tape. Once constructed, no instruction in it can make a kernel read or write
// out of bounds.
#pragma once

#include <atomic>
#include <complex>
#include <cstdint>
#include <optional>
#include <vector>

#include "../dispatch.hpp"
#include "../instruction.hpp"

namespace qsim {

constexpr int kMaxQubits = 62;

struct Plan;
struct FusedPlan;

/// How a tape is fused; a test makes tiles small.
struct Fusion {
  bool enabled = false;
  TileShape shape = {kTileLowBits, 0};  // 0: as many as make a tile of 256 KiB
};

class Tape {
 public:
  /// Throws std::invalid_argument naming the instruction that is wrong.
  Tape(std::int64_t num_qubits, std::int64_t num_slots, std::vector<Instruction> instructions,
       std::vector<std::int32_t> integers, std::vector<std::complex<double>> constants,
       std::vector<Segment> segments, Fusion fusion = {});
  ~Tape();
  Tape(const Tape&) = delete;
  Tape& operator=(const Tape&) = delete;

  /// The layout for one instruction set and precision; built on first use, then shared by all threads.
  template <class T>
  const Plan& plan(int isa) const;
  /// The same for the fused program that starts from |0...0> or from any state.
  template <class T>
  const FusedPlan& fused_plan(int isa, bool from_zero) const;
  /// That of a reverse tape with taps where `slots` are not negative; null if there is none, or one for other slots.
  template <class T>
  const FusedPlan* sweep_plan(int isa, const std::vector<std::int32_t>& slots) const;
  /// Whether to fuse: small states gain nothing, nor do one or two gates that stream through a given state.
  bool is_fused(bool from_zero) const;

  const int num_qubits;
  const int num_slots;
  const std::vector<Instruction> instructions;
  const std::vector<std::int32_t> integers;
  const std::vector<std::complex<double>> constants;
  const std::vector<Segment> segments;
  const Fusion fusion;

  const std::int32_t* targets(const Instruction& instruction) const {
    return integers.data() + instruction.targets;
  }
  /// Qubits an instruction needs inside its tile.
  std::uint64_t active_qubits(const Instruction& instruction) const;

 private:
  mutable std::atomic<const Plan*> plans_[kNumIsas][2] = {};
  mutable std::atomic<const FusedPlan*> fused_plans_[kNumIsas][2][2] = {};
  mutable std::atomic<const std::optional<FusedPlan>*> sweep_plans_[kNumIsas][2] = {};

  TileShape fused_shape(bool single) const;
};

}  // namespace qsim
