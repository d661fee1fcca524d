// Checks a lane program and lays it out: which turns share a load, the lists and tables of phases.
#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>

#include "bits.hpp"
#include "lanes.hpp"

namespace qsim {
namespace {

[[noreturn]] void fail(const std::string& text) { throw std::invalid_argument("A lane program " + text); }

void require(bool good, const char* text) {
  if (!good) fail(text);
}

struct Axis {  // a qubit: flipping it is an xor with x, its value the parity of the bits in z
  std::uint32_t x, z;
};

bool are_independent(const Axis* axes, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i)
    for (std::size_t j = 0; j < count; ++j)
      if (parity(axes[i].x & axes[j].z) != int(i == j)) return false;
  return true;
}

void add_to_walk(std::uint32_t vector, LaneWalk& walk) {
  walk.steps[walk.bits] = walk.bits ? walk.steps[walk.bits - 1] ^ vector : vector;
  ++walk.bits;
}

/// All indices, one of each set that differ in the axes only: start is one, and differences have all values zero.
LaneWalk make_walk(int num_qubits, const std::vector<Axis>& axes, std::uint32_t start) {
  std::vector<std::uint32_t> basis;
  for (int q = num_qubits - 1; q >= 0; --q) {
    std::uint32_t vector = std::uint32_t{1} << q;
    for (const Axis& axis : axes)
      if ((axis.z >> q) & 1) vector ^= axis.x;
    for (const std::uint32_t other : basis) vector = std::min(vector, vector ^ other);
    if (vector == 0) continue;
    for (std::uint32_t& other : basis) other = std::min(other, other ^ vector);
    basis.push_back(vector);
  }
  std::sort(basis.begin(), basis.end());  // small steps first: neighbours in memory follow each other
  LaneWalk walk{};
  for (const std::uint32_t vector : basis) add_to_walk(vector, walk);
  walk.start = start;
  for (const std::uint32_t vector : basis) walk.start = std::min(walk.start, walk.start ^ vector);
  return walk;
}

void fill_offsets(const Axis* axes, int count, std::uint32_t* offsets) {
  for (int g = 0; g < (1 << count); ++g) {
    offsets[g] = 0;
    for (int k = 0; k < count; ++k)
      if ((g >> k) & 1) offsets[g] ^= axes[k].x;
  }
}

/// All xors of the columns.
std::vector<std::uint32_t> span_of(const std::uint32_t* columns, int count) {
  std::vector<std::uint32_t> out(1, 0);
  for (int k = 0; k < count; ++k) {
    const std::size_t size = out.size();
    for (std::size_t i = 0; i < size; ++i) out.push_back(out[i] ^ columns[k]);
  }
  return out;
}

constexpr int kBlockedQubits = 9;  // from here on the states of a group leave the first-level cache
constexpr std::size_t kMaxPatterns = 2;  // so many signs may differ between the tables of a phase step

double without_dust(double x) {
  const double nearest = std::nearbyint(x);
  return std::abs(x - nearest) < 1e-15 ? nearest : x;
}

}  // namespace

LaneProgram::LaneProgram(std::int64_t qubits, std::int64_t slots, LaneArrays all)
    : num_qubits(int(qubits)), num_slots(int(slots)), arrays(std::move(all)) {
  require(qubits >= 0 && qubits <= kMaxLaneQubits, "must have 0 to 16 qubits.");
  require(slots >= 0 && slots <= INT32_MAX, "must have a number of slots that fits an int32.");
  num_turns = int(arrays.turns.size() / 2);
  num_angles = int(arrays.constants.size());
  check();
  lay_out();
}

void LaneProgram::check() const {
  const LaneArrays& a = arrays;
  const std::uint32_t beyond = ~((std::uint32_t{1} << num_qubits) - 1);
  const auto inside = [&](const std::vector<std::uint32_t>& masks) {
    return std::all_of(masks.begin(), masks.end(), [&](std::uint32_t m) { return (m & beyond) == 0; });
  };
  require(a.turns.size() % 2 == 0 && a.steps.size() % 4 == 0 && a.matrices.size() % 4 == 0 &&
              a.matrix_qubits.size() % 3 == 0 && a.columns.size() == std::size_t(num_qubits) &&
              (num_qubits == 0 || a.bases.size() % std::size_t(num_qubits) == 0),
          "must have whole rows in its arrays.");
  require(a.constants.size() == a.turns.size() / 2 + a.phases.size() && a.first.size() == a.constants.size() + 1 &&
              a.slots.size() == a.weights.size() && a.first.front() == 0 &&
              a.first.back() == std::int32_t(a.slots.size()) && std::is_sorted(a.first.begin(), a.first.end()),
          "must have one angle for each turn and each phase.");
  for (const std::int32_t slot : a.slots) require(slot >= 0 && slot < num_slots, "refers to a slot that does not exist.");
  require(inside(a.turns) && inside(a.phases) && inside(a.bases) && inside(a.columns) && (a.origin & beyond) == 0,
          "has a mask with bits beyond its qubits.");
}

void LaneProgram::lay_out() {
  const LaneArrays& a = arrays;
  const std::size_t num_bases = num_qubits ? a.bases.size() / std::size_t(num_qubits) : 0;
  for (std::size_t s = 0; s < a.steps.size(); s += 4) {
    const std::int32_t* const row = a.steps.data() + s;
    require(row[0] >= 0 && row[0] <= 2, "has a step of an unknown kind.");
    Step step{Kind(row[0]), row[1], row[2], row[3], {}, {}};
    if (step.kind == Kind::kMatrix) {
      require(row[3] >= 0 && std::size_t(row[3]) < a.matrices.size() / 4, "refers to a matrix that does not exist.");
      matrices.push_back(make_matrix(a.matrices.data() + 4 * row[3]));
      step.index = int(matrices.size()) - 1;
    } else {
      const int limit = step.kind == Kind::kMix ? num_turns : int(a.phases.size());
      require(row[1] >= 0 && row[1] <= row[2] && row[2] <= limit, "has a step beyond the end of its arrays.");
    }
    if (step.kind == Kind::kPhases) {
      require(num_qubits == 0 || (row[3] >= 0 && std::size_t(row[3]) < num_bases),
              "refers to a basis that does not exist.");
      phases.push_back(make_phases(step.first, step.last, row[3]));
      step.index = int(phases.size()) - 1;
    }
    if (step.kind == Kind::kMix) {
      std::vector<Axis> axes;
      for (int t = step.first; t < step.last; ++t) axes.push_back({a.turns[2 * t], a.turns[2 * t + 1]});
      require(are_independent(axes.data(), axes.size()), "has a step of turns that are not independent.");
      for (int most = 1; most <= kMaxLaneMix; ++most) {
        step.first_blocks[most] = int(blocks[most].size());
        const std::size_t num_mixes = (axes.size() + std::size_t(most) - 1) / std::size_t(most);
        const std::size_t at_once = num_qubits >= kBlockedQubits ? 2 : 1;
        for (std::size_t m = 0, t = 0; m < num_mixes; m += at_once) {
          const std::size_t end = std::min(num_mixes, m + at_once), first_axis = t;
          std::vector<std::size_t> cuts(1, t);
          for (std::size_t k = m; k < end; ++k) cuts.push_back(t += (axes.size() - t + num_mixes - k - 1) / (num_mixes - k));
          const std::vector<Axis> all(axes.begin() + std::ptrdiff_t(first_axis), axes.begin() + std::ptrdiff_t(t));
          LaneBlocks some{int(mixes[most].size()), 0, make_walk(num_qubits, all, 0)};
          for (std::size_t k = 0; k + 1 < cuts.size(); ++k) {
            const int count = int(cuts[k + 1] - cuts[k]);
            LaneMix mix{step.first + int(cuts[k]), count, {}, {}};
            fill_offsets(axes.data() + cuts[k], count, mix.offsets);
            for (std::size_t other = first_axis; other < t; ++other)  // the other turns of the block
              if (other < cuts[k] || other >= cuts[k + 1]) add_to_walk(axes[other].x, mix.walk);
            mixes[most].push_back(mix);
          }
          some.last = int(mixes[most].size());
          if (some.last - some.first == 1) std::swap(some.walk, mixes[most].back().walk);  // one block
          blocks[most].push_back(some);
        }
        step.last_blocks[most] = int(blocks[most].size());
      }
    }
    steps.push_back(step);
  }
  for (LanePhaseStep& step : phases) {
    step.plan.low = step.low.data();
    step.plan.high = step.high.data();
    step.plan.variants = step.variants.data();
  }
  places = span_of(a.columns.data(), num_qubits);
  for (std::uint32_t& place : places) place ^= a.origin;
  std::vector<bool> seen(places.size());
  for (const std::uint32_t place : places) {
    require(!seen[place], "must have columns that are independent.");
    seen[place] = true;
  }
}

LanePhaseStep LaneProgram::make_phases(int first, int last, int basis) const {
  const std::uint32_t* const columns = arrays.bases.data() + std::size_t(basis) * std::size_t(num_qubits);
  LanePhaseStep step{};
  step.first = first;
  step.last = last;
  step.plan.low_bits = (num_qubits + 1) / 2;
  const std::uint32_t low_mask = (std::uint32_t{1} << step.plan.low_bits) - 1;
  for (int m = first; m < last; ++m) {
    const std::uint32_t z = arrays.phases[m], high = z >> step.plan.low_bits;
    if ((z & low_mask) != 0 && high != 0 &&
        std::find(step.patterns.begin(), step.patterns.end(), high) == step.patterns.end())
      step.patterns.push_back(high);
  }
  if (step.patterns.size() > kMaxPatterns) {  // one list, and a table over all of it
    step.patterns.clear();
    step.plan.low_bits = num_qubits;
  }
  step.plan.high_bits = num_qubits - step.plan.low_bits;
  step.low = span_of(columns, step.plan.low_bits);
  step.high = span_of(columns + step.plan.low_bits, step.plan.high_bits);
  for (std::uint32_t h = 0; h < step.high.size(); ++h) {
    std::uint8_t variant = 0;
    for (std::size_t i = 0; i < step.patterns.size(); ++i)
      variant |= std::uint8_t(parity(h & step.patterns[i]) << i);
    step.variants.push_back(variant);
  }
  step.constant = std::all_of(arrays.first.begin() + num_turns + first, arrays.first.begin() + num_turns + last,
                              [&](const std::int32_t& begin) { return begin == *(&begin + 1); });
  if (!step.constant) return step;
  const std::size_t dim = std::size_t{1} << num_qubits;
  step.table.resize(2 * dim);
  step.real = true;
  for (std::size_t l = 0; l < dim; ++l) {
    double angle = 0;
    for (int m = first; m < last; ++m)
      angle += parity(l & arrays.phases[m]) ? -arrays.constants[num_turns + m] : arrays.constants[num_turns + m];
    const std::size_t place = step.low[l & (step.low.size() - 1)] ^ step.high[l >> step.plan.low_bits];
    step.table[2 * place] = without_dust(std::cos(angle));
    step.table[2 * place + 1] = without_dust(std::sin(angle));
    step.real &= step.table[2 * place + 1] == 0;
  }
  step.single_table.assign(step.table.begin(), step.table.end());
  return step;
}

LaneMatrix LaneProgram::make_matrix(const std::int32_t* row) const {
  const int targets = row[0], controls = row[1];
  require(targets >= 1 && targets <= kMaxLaneDense && controls >= 0 && targets + controls <= num_qubits,
          "has a matrix on too many qubits.");
  require(row[2] >= 0 && std::size_t(row[2] + targets + controls) <= arrays.matrix_qubits.size() / 3,
          "refers to qubits that do not exist.");
  const std::size_t dim = std::size_t{1} << targets;
  require(row[3] >= 0 && std::size_t(row[3]) + dim * dim <= arrays.entries.size(),
          "refers to entries that do not exist.");
  std::vector<Axis> axes;
  std::uint32_t start = 0;
  for (int k = 0; k < targets + controls; ++k) {
    const std::uint32_t* const qubit = arrays.matrix_qubits.data() + 3 * (row[2] + k);
    require((qubit[0] | qubit[1]) >> num_qubits == 0, "has a mask with bits beyond its qubits.");
    axes.push_back({qubit[0], qubit[1]});
    if (qubit[2] & 1) start ^= qubit[0];
  }
  require(are_independent(axes.data(), axes.size()), "has a matrix on qubits that are not independent.");
  LaneMatrix out{};
  out.num_targets = targets;
  out.walk = make_walk(num_qubits, axes, start);
  fill_offsets(axes.data(), targets, out.offsets);
  const std::complex<double>* const matrix = arrays.entries.data() + row[3];
  for (std::size_t i = 0; i < dim; ++i)
    for (std::size_t j = 0; j < dim; ++j) {
      out.entries.insert(out.entries.end(), {matrix[i * dim + j].real(), matrix[i * dim + j].imag()});
      out.inverse.insert(out.inverse.end(), {matrix[j * dim + i].real(), -matrix[j * dim + i].imag()});
    }
  out.single_entries.assign(out.entries.begin(), out.entries.end());
  out.single_inverse.assign(out.inverse.begin(), out.inverse.end());
  return out;
}

LaneObservables::LaneObservables(std::int64_t qubits, std::int64_t count, std::vector<std::int32_t> observables,
                                 std::vector<std::uint32_t> x_masks, const std::vector<std::complex<double>>& tables)
    : num_qubits(int(qubits)), num_observables(count), diagonals(std::size_t(std::max<std::int64_t>(count, 0)), nullptr) {
  if (qubits < 0 || qubits > kMaxLaneQubits) throw std::invalid_argument("Observables must have 0 to 16 qubits.");
  const std::size_t dim = std::size_t{1} << num_qubits;
  if (observables.size() != x_masks.size() || tables.size() != observables.size() * dim)
    throw std::invalid_argument("Observables must have one number, mask and table for each entry.");
  const double* const numbers = reinterpret_cast<const double*>(tables.data());
  tables_.assign(numbers, numbers + 2 * tables.size());
  diagonal_tables_.resize(diagonals.size() * dim);
  for (std::size_t i = 0; i < observables.size(); ++i) {
    if (observables[i] < 0 || observables[i] >= count || x_masks[i] >= dim)
      throw std::invalid_argument("Observables must have numbers below their count and masks of their qubits.");
    const double* const table = tables_.data() + 2 * i * dim;
    bool real = true;
    for (std::size_t b = 0; b < dim; ++b) real &= table[2 * b + 1] == 0;
    entries.push_back({observables[i], x_masks[i], real, table});
    if (x_masks[i] != 0) continue;
    double* const own = diagonal_tables_.data() + std::size_t(observables[i]) * dim;
    for (std::size_t b = 0; b < dim; ++b) own[b] += table[2 * b];
    diagonals[std::size_t(observables[i])] = own;
  }
}

}  // namespace qsim
