// Which gates share a pass over the state. Segments are planned from structure alone.
#pragma once

#include <cstdint>
#include <vector>

#include "normal_form.hpp"

namespace qsim {

/// One thing done to a tile. Phases commute with each other, so they wait until a rotation needs them gone.
struct Step {
  enum class Kind : std::uint8_t { kMixes, kPhases, kGeneric, kTap };
  Kind kind;
  std::int32_t first, last;  // range of Schedule::items: words, factors; else one instruction or tap
};

struct ScheduledSegment {
  std::uint64_t active = 0;  // qubits its steps do not act on diagonally
  bool whole = false;        // one instruction that works on the whole state
  std::int32_t first = 0, last = 0;  // range of Schedule::steps
};

struct Schedule {
  std::vector<std::vector<std::int32_t>> product;  // for each qubit the nodes that act on |0> alone, in order
  std::vector<ScheduledSegment> segments;
  std::vector<Step> steps;
  std::vector<std::int32_t> items;
};

/// With `from_zero` the first gates on each qubit, as long as they leave a product state, become Schedule::product.
Schedule make_schedule(const NormalForm& form, int num_qubits, TileShape shape, bool from_zero);

}  // namespace qsim
