#include "tape.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>

#include "../fuse/fused_plan.hpp"
#include "bits.hpp"
#include "plan.hpp"

namespace qsim {
namespace {

[[noreturn]] void fail(const std::string& text) { throw std::invalid_argument(text); }

/// Checks one instruction against the pools.
class Checker {
 public:
  Checker(const Tape& tape, std::size_t number)
      : tape_(tape), op_(tape.instructions[number]), name_("Instruction " + std::to_string(number) + " of the tape ") {}

  void check() const {
    if (op_.pattern > std::uint8_t(Pattern::kPrepare))
      fail(name_ + "has the unknown pattern " + std::to_string(op_.pattern) + ".");
    if (op_.slot < -1 || op_.slot >= tape_.num_slots)
      fail(name_ + "has slot " + std::to_string(op_.slot) + ", but the tape has " + std::to_string(tape_.num_slots) +
           " slots.");
    if ((op_.ctrl_mask | op_.x_mask | op_.z_mask) & ~all_qubits())
      fail(name_ + "has a mask with bits beyond its " + std::to_string(tape_.num_qubits) + " qubits.");
    if (op_.ctrl_value & ~op_.ctrl_mask) fail(name_ + "has control values outside its control mask.");
    const std::uint64_t targets = check_targets();
    if ((targets | op_.x_mask | op_.z_mask) & op_.ctrl_mask) fail(name_ + "has a qubit both as control and as target.");
    check_data();
  }

 private:
  std::uint64_t all_qubits() const { return (std::uint64_t{1} << tape_.num_qubits) - 1; }
  Pattern pattern() const { return Pattern(op_.pattern); }

  std::uint64_t check_targets() const {
    const int k = op_.num_targets;
    if (pattern() == Pattern::kPauliRotation && k != 0) fail(name_ + "is a Pauli rotation, which has no targets.");
    if (k == 0 && pattern() != Pattern::kDiagonal && pattern() != Pattern::kPauliRotation)
      fail(name_ + "must have at least one target.");
    if (k > tape_.num_qubits) fail(name_ + "has more targets than there are qubits.");
    if (pattern() == Pattern::kDense && k > 14) fail(name_ + "is a dense matrix on more than 14 qubits.");
    if (k > 31) fail(name_ + "has more than 31 targets.");
    std::int64_t needed = k;
    if (pattern() == Pattern::kPermutation) needed += std::int64_t{1} << k;
    check_range(op_.targets, needed, tape_.integers.size(), "integers");
    std::uint64_t seen = 0;
    for (int i = 0; i < k; ++i) {
      const std::int32_t target = tape_.integers[op_.targets + i];
      if (target < 0 || target >= tape_.num_qubits)
        fail(name_ + "has target " + std::to_string(target) + ", which is not one of its " +
             std::to_string(tape_.num_qubits) + " qubits.");
      if ((seen >> target) & 1) fail(name_ + "has target " + std::to_string(target) + " twice.");
      seen |= std::uint64_t{1} << target;
    }
    if (pattern() == Pattern::kPermutation) check_sources();
    return seen;
  }

  void check_sources() const {
    const std::int64_t dim = std::int64_t{1} << op_.num_targets;
    const std::int32_t* sources = tape_.integers.data() + op_.targets + op_.num_targets;
    std::vector<bool> seen(dim, false);
    for (std::int64_t j = 0; j < dim; ++j) {
      if (sources[j] < 0 || sources[j] >= dim || seen[sources[j]]) fail(name_ + "does not hold a permutation.");
      seen[sources[j]] = true;
    }
  }

  void check_data() const {
    if (op_.num_terms != 0 && pattern() != Pattern::kDiagonal && pattern() != Pattern::kDense)
      fail(name_ + "has terms, which only a diagonal or a dense matrix may have.");
    if (pattern() == Pattern::kPauliRotation) return;
    const int k = op_.num_targets;
    std::int64_t entries = std::int64_t{1} << (pattern() == Pattern::kDense ? 2 * k : k);
    if (pattern() == Pattern::kPrepare) {
      entries += 1;
    } else if (pattern() != Pattern::kPermutation) {
      entries += std::int64_t(op_.num_terms) * (1 + 2 * entries);
    }
    check_range(op_.data, entries, tape_.constants.size(), "constants");
  }

  void check_range(std::int64_t offset, std::int64_t count, std::size_t size, const char* pool) const {
    if (count == 0) return;
    if (offset < 0 || count < 0 || offset > std::int64_t(size) || count > std::int64_t(size) - offset)
      fail(name_ + "refers to entries beyond the end of `" + pool + "`.");
  }

  const Tape& tape_;
  const Instruction& op_;
  const std::string name_;
};

void check_segments(const Tape& tape) {
  std::int64_t position = 0;
  for (std::size_t s = 0; s < tape.segments.size(); ++s) {
    const Segment& segment = tape.segments[s];
    const std::string name = "Segment " + std::to_string(s) + " of the tape ";
    if (segment.start != position || segment.stop <= segment.start ||
        segment.stop > std::int64_t(tape.instructions.size()))
      fail(name + "does not continue the one before it.");
    position = segment.stop;
    if (segment.whole) {
      if (segment.stop != segment.start + 1) fail(name + "works on the whole state, so it must hold one instruction.");
    }
    const std::uint64_t high = segment.active & ~((std::uint64_t{1} << kTileLowBits) - 1);
    if (segment.active >> tape.num_qubits) fail(name + "has active qubits beyond those of the tape.");
    if (!segment.whole && tape.num_qubits > kMaxTileBits && popcount(high) > kTileActiveBits)
      fail(name + "has more active qubits than fit a tile.");
    for (std::int64_t i = segment.start; i < segment.stop; ++i) {
      const Instruction& op = tape.instructions[i];
      if (tape.active_qubits(op) & ~segment.active)
        fail(name + "holds instruction " + std::to_string(i) + ", whose targets are not all active.");
      if (op.pattern == std::uint8_t(Pattern::kPrepare) && !segment.whole && tape.num_qubits > kMaxTileBits)
        fail(name + "holds a preparation, which must work on the whole state.");
    }
  }
  if (position != std::int64_t(tape.instructions.size())) fail("The segments of the tape leave out instructions.");
}

std::int64_t checked_size(std::int64_t value, std::int64_t limit, const char* name) {
  if (value < 0 || value > limit)
    fail(std::string("Argument `") + name + "` must be between 0 and " + std::to_string(limit) + ", but is " +
         std::to_string(value) + ".");
  return value;
}

}  // namespace

Tape::Tape(std::int64_t qubits, std::int64_t slots, std::vector<Instruction> all_instructions,
           std::vector<std::int32_t> all_integers, std::vector<std::complex<double>> all_constants,
           std::vector<Segment> all_segments, Fusion how)
    : num_qubits(int(checked_size(qubits, kMaxQubits, "num_qubits"))),
      num_slots(int(checked_size(slots, INT32_MAX, "num_slots"))),
      instructions(std::move(all_instructions)),
      integers(std::move(all_integers)),
      constants(std::move(all_constants)),
      segments(std::move(all_segments)),
      fusion(how) {
  if (fusion.shape.low_bits < kMaxLaneBits || fusion.shape.active_bits < 0 ||
      fusion.shape.low_bits + fusion.shape.active_bits > kMaxFusedTileBits)
    fail("A tile must hold the lowest " + std::to_string(kMaxLaneBits) + " qubits and " +
         std::to_string(kMaxFusedTileBits) + " at most.");
  for (std::size_t i = 0; i < instructions.size(); ++i) Checker(*this, i).check();
  check_segments(*this);
}

std::uint64_t Tape::active_qubits(const Instruction& op) const {
  std::uint64_t mask = op.pattern == std::uint8_t(Pattern::kPauliRotation) ? op.x_mask : 0;
  if (op.pattern == std::uint8_t(Pattern::kDense) || op.pattern == std::uint8_t(Pattern::kPermutation))
    for (int i = 0; i < op.num_targets; ++i) mask |= std::uint64_t{1} << targets(op)[i];
  return mask;
}

Tape::~Tape() {
  for (auto& row : plans_)
    for (auto& plan : row) delete plan.load();
  for (auto& of_isa : fused_plans_)
    for (auto& row : of_isa)
      for (auto& plan : row) delete plan.load();
  for (auto& row : sweep_plans_)
    for (auto& plan : row) delete plan.load();
}

namespace {

// Without a lock on purpose: a lock held by another thread during fork() would stay locked in the child.
template <class P, class Make>
const P& built_once(std::atomic<const P*>& place, const Make& make) {
  const P* found = place.load(std::memory_order_acquire);
  if (found != nullptr) return *found;
  const P* const built = new P(make());
  if (place.compare_exchange_strong(found, built, std::memory_order_acq_rel)) return *built;
  delete built;
  return *found;
}

}  // namespace

template <class T>
const Plan& Tape::plan(int isa) const {
  return built_once(plans_[isa][sizeof(T) == sizeof(float)], [&] { return make_plan<T>(*this, isa); });
}

constexpr int kMinSweptQubits = 10;  // below, binding the plan takes longer than it saves

TileShape Tape::fused_shape(bool single) const {
  TileShape shape = fusion.shape;
  if (shape.active_bits == 0)
    // four tiles at least, for threads to share, where each is worth a pass
    shape.active_bits = std::min(single ? 15 : 14, std::max(num_qubits - 2, 12)) - shape.low_bits;
  return shape;
}

template <class T>
const FusedPlan& Tape::fused_plan(int isa, bool from_zero) const {
  const TileShape shape = fused_shape(sizeof(T) == sizeof(float));
  return built_once(fused_plans_[isa][sizeof(T) == sizeof(float)][from_zero],
                    [&] { return make_fused_plan<T>(*this, isa, shape, from_zero); });
}

template <class T>
const FusedPlan* Tape::sweep_plan(int isa, const std::vector<std::int32_t>& slots) const {
  if (!fusion.enabled) return nullptr;
  const bool small_tiles = fusion.shape.active_bits > 0 && num_qubits > fusion.shape.low_bits + fusion.shape.active_bits;
  if (num_qubits < kMinSweptQubits && !small_tiles) return nullptr;
  const bool single = sizeof(T) == sizeof(float);
  const std::optional<FusedPlan>& plan =
      built_once(sweep_plans_[isa][single], [&] { return make_sweep_plan<T>(*this, isa, fused_shape(single), slots); });
  return plan && plan->slots == slots ? &*plan : nullptr;
}

bool Tape::is_fused(bool from_zero) const {
  if (!fusion.enabled) return false;
  if (fusion.shape.active_bits > 0 && num_qubits > fusion.shape.low_bits + fusion.shape.active_bits) return true;
  return num_qubits > kMaxTileBits && (from_zero || instructions.size() > 2);
}

template const Plan& Tape::plan<float>(int) const;
template const Plan& Tape::plan<double>(int) const;
template const FusedPlan& Tape::fused_plan<float>(int, bool) const;
template const FusedPlan& Tape::fused_plan<double>(int, bool) const;
template const FusedPlan* Tape::sweep_plan<float>(int, const std::vector<std::int32_t>&) const;
template const FusedPlan* Tape::sweep_plan<double>(int, const std::vector<std::int32_t>&) const;

}  // namespace qsim
