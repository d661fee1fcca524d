#include "fused_plan.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include "../execute/bits.hpp"

namespace qsim {
namespace {

constexpr int kMaxUnscaled = 60;  // rotations without a place for their scale: 2^-30 at worst

template <class T>
class FusedPlanner {
 public:
  FusedPlanner(const Tape& tape, int isa, TileShape shape, bool from_zero)
      : tape_(tape), isa_(isa), shape_(shape), lanes_(kernel_table(isa).vector_bytes / int(sizeof(T))) {
    lane_bits_ = log2_of(std::uint64_t(lanes_));
    max_mix_ = kernel_table(isa).vector_bytes == 64 ? 3 : 2;  // as many registers as the set has names for
    plan_.from_zero = from_zero;
  }

  FusedPlan make() {
    plan_.form = make_normal_form(tape_, plan_.from_zero);
    plan_.schedule = make_schedule(plan_.form, tape_.num_qubits, shape_, plan_.from_zero);
    std::vector<ScheduledSegment>& segments = plan_.schedule.segments;
    if (plan_.from_zero && (segments.empty() || segments.front().whole))
      segments.insert(segments.begin(), ScheduledSegment{});  // writes the product state
    const int tile_bits = std::min(tape_.num_qubits, shape_.low_bits + shape_.active_bits);
    plan_.block_bits = std::max(lane_bits_, std::min(tile_bits, sizeof(T) == 4 ? kMaxBlockBits : kMaxBlockBits - 1));
    std::vector<Segment> alone(plan_.form.generic.size());
    for (std::size_t i = 0; i < alone.size(); ++i)
      alone[i] = {std::int64_t(i), std::int64_t(i) + 1, (std::uint64_t{1} << tape_.num_qubits) - 1, 1, {}};
    plan_.generic_tape = std::make_unique<Tape>(tape_.num_qubits, tape_.num_slots, plan_.form.generic,
                                                plan_.form.generic_integers, tape_.constants, std::move(alone));
    OpPlanner<T> ops(*plan_.generic_tape, isa_, plan_.generic);
    for (const ScheduledSegment& segment : plan_.schedule.segments) add_segment(segment, tile_bits, ops);
    ops.finish();
    return std::move(plan_);
  }

 private:
  void add_segment(const ScheduledSegment& scheduled, int tile_bits, OpPlanner<T>& ops) {
    FusedSegment segment;
    if (scheduled.whole) {
      const Instruction& op = plan_.generic_tape->instructions[plan_.schedule.items[plan_.schedule.steps[scheduled.first].first]];
      segment.planned.streamed = Pattern(op.pattern) != Pattern::kPrepare && op.num_targets <= kMaxFastTargets;
      segment.planned.whole = !segment.planned.streamed;
      if (segment.planned.streamed) segment.planned.layout = make_whole_layout(tape_.num_qubits);
    } else {
      segment.planned.layout = make_layout(tape_.num_qubits, lane_bits_, scheduled.active, tile_bits, shape_.low_bits);
    }
    segment.first = std::int32_t(plan_.steps.size());
    segment.planned.first = plan_.generic.ops.size();
    block_mask_ = segment.planned.layout.inside;
    while (popcount(block_mask_) > plan_.block_bits) block_mask_ &= ~(std::uint64_t{1} << log2_of(block_mask_));
    for (std::int32_t s = scheduled.first; s < scheduled.last; ++s) add_step(plan_.schedule.steps[s], segment, ops);
    segment.planned.last = plan_.generic.ops.size();
    segment.last = std::int32_t(plan_.steps.size());
    plan_.segments.push_back(std::move(segment));
  }

  void add_step(const Step& step, const FusedSegment& segment, OpPlanner<T>& ops) {
    const std::int32_t* items = plan_.schedule.items.data();
    switch (step.kind) {
      case Step::Kind::kGeneric: {
        const Instruction& op = plan_.generic_tape->instructions[items[step.first]];
        const std::int32_t index = std::int32_t(plan_.generic.ops.size());
        ops.add(op, segment.planned);
        plan_.steps.push_back({Step::Kind::kGeneric, !segment.planned.whole && !segment.planned.streamed && stays_in_block(plan_.generic.ops.back()),
                               index});
        return;
      }
      case Step::Kind::kMixes: return add_mixes(items + step.first, items + step.last, segment.planned.layout);
      case Step::Kind::kPhases: return add_phases({items + step.first, items + step.last});
    }
  }

  bool stays_in_block(const PlannedOp& op) const {
    const std::uint64_t registers = std::uint64_t{1} << (plan_.block_bits - lane_bits_);
    return op.kernel != nullptr && op.tile.fixed_mask < registers && op.tile.x_high < registers && op.tile.z_high < registers && !op.is_table;
  }

  void add_mixes(const std::int32_t* first, const std::int32_t* last, const TileLayout& layout) {
    std::vector<std::pair<int, std::int32_t>> places;
    for (; first < last; ++first)
      places.emplace_back(position_of(plan_.form.words[*first].qubit, layout.inside), *first);
    std::sort(places.begin(), places.end());
    std::size_t i = 0;
    MixPlan lanes{};
    lanes.in_lanes = true;
    for (; i < places.size() && places[i].first < lane_bits_; ++i) {
      lanes.words[lanes.count] = places[i].second;
      lanes.patterns[lanes.count++] = std::uint8_t(1 << places[i].first);
    }
    if (lanes.count > 0) {
      push_mix(lanes, true);
      unscaled_ = 0;
    }
    while (i < places.size()) {
      const bool blocked = places[i].first < plan_.block_bits;
      std::size_t end = i;
      while (end < places.size() && (places[end].first < plan_.block_bits) == blocked) ++end;
      // as even as possible: 4 = 2 + 2 rather than 3 + 1
      const std::size_t count = end - i, groups = (count + max_mix_ - 1) / max_mix_;
      for (std::size_t g = 0; g < groups; ++g) {
        MixPlan mix{};
        for (std::size_t k = i + g * count / groups; k < i + (g + 1) * count / groups; ++k) {
          const std::uint64_t stride = std::uint64_t{1} << (places[k].first - lane_bits_);
          mix.op.strides[mix.count] = stride;
          mix.op.fixed_mask |= stride;
          mix.words[mix.count++] = places[k].second;
        }
        unscaled_ += mix.count;
        push_mix(mix, blocked);
        if (unscaled_ > kMaxUnscaled) add_phases({});
      }
      i = end;
    }
  }

  void push_mix(const MixPlan& mix, bool blocked) {
    plan_.steps.push_back({Step::Kind::kMixes, blocked, std::int32_t(plan_.mixes.size())});
    plan_.mixes.push_back(mix);
  }

  void add_phases(std::vector<std::int32_t> factors) {
    unscaled_ = 0;
    PhasePlan phase;
    std::map<std::pair<int, int>, std::int32_t> numbers;
    for (const std::int32_t f : factors) {
      const Factor& factor = plan_.form.factors[f];
      if (factor.qubits[1] < 0) {
        phase.factor_pairs.push_back(-1);
        continue;
      }
      const int low = std::min(factor.qubits[0], factor.qubits[1]), high = std::max(factor.qubits[0], factor.qubits[1]);
      const auto found = numbers.emplace(std::make_pair(low, high), std::int32_t(phase.pairs.size()));
      if (found.second) phase.pairs.push_back({{std::int8_t(low), std::int8_t(high)}});
      phase.factor_pairs.push_back(found.first->second);
    }
    phase.factors = std::move(factors);
    place_pairs(phase);
    plan_.steps.push_back({Step::Kind::kPhases, true, std::int32_t(plan_.phases.size())});
    plan_.phases.push_back(std::move(phase));
  }

  /// A pair inside a block goes into its table; one with a qubit outside belongs to the row of the other qubit, if
  /// that is inside, else to the row of its lower qubit.
  void place_pairs(PhasePlan& phase) {
    std::map<std::pair<int, int>, std::vector<std::int32_t>> of_nibble;  // (qubit, nibble) -> pairs
    phase.pair_places.assign(phase.pairs.size(), -1);
    for (std::size_t p = 0; p < phase.pairs.size(); ++p) {
      int row = phase.pairs[p].qubits[0], other = phase.pairs[p].qubits[1];
      const bool row_inside = inside_block(row), other_inside = inside_block(other);
      if (row_inside && other_inside) {
        phase.has_table = true;
        continue;
      }
      if (other_inside) std::swap(row, other);
      of_nibble[{row, other / 4}].push_back(std::int32_t(p));
    }
    for (const auto& entry : of_nibble) {
      const int qubit = entry.first.first;
      if (phase.rows.empty() || phase.rows.back().qubit != qubit) {
        const int position = inside_block(qubit) ? position_of(qubit, block_mask_) : -1;
        phase.rows.push_back({std::int8_t(qubit), std::int8_t(position), std::int32_t(phase.nibbles.size()), 0});
        phase.has_products |= position >= 0;
      }
      for (const std::int32_t p : entry.second) phase.pair_places[p] = std::int32_t(phase.nibbles.size());
      phase.nibbles.push_back(std::int8_t(entry.first.second));
      phase.rows.back().last = std::int32_t(phase.nibbles.size());
    }
    if (!phase.has_table)
      for (const std::int32_t f : phase.factors)
        for (const std::int8_t q : plan_.form.factors[f].qubits) phase.has_products |= q >= 0 && inside_block(q);
    phase.block_mask = block_mask_;
  }

  bool inside_block(int qubit) const { return (block_mask_ >> qubit) & 1; }

  const Tape& tape_;
  const int isa_;
  const TileShape shape_;
  const int lanes_;
  int lane_bits_, max_mix_;
  int unscaled_ = 0;
  std::uint64_t block_mask_ = 0;
  FusedPlan plan_;
};

/// t, flips and reflects of one rotation; what is left is a scale.
double shape_of(const Rotation& r, double& t, bool& flips, bool& reflects) {
  flips = std::abs(r.c) < std::abs(r.s);
  reflects = r.reflects != flips;
  t = flips ? r.c / r.s : r.s / r.c;
  return flips ? r.s : r.c;
}

template <class T>
class Binder {
 public:
  Binder(const Tape& tape, const FusedPlan& plan, int lanes, const double* angles, BoundPlan<T>& out)
      : tape_(tape), plan_(plan), lanes_(lanes), angles_(angles), out_(out) {}

  bool bind() {
    rotations_.resize(plan_.form.words.size());
    for (std::size_t w = 0; w < rotations_.size(); ++w) {
      Complex m[4];
      const Word& word = plan_.form.words[w];
      word_matrix(tape_, plan_.form, word, angles_, m);
      if (!split_rotation(m, word.is_real, rotations_[w])) return false;
    }
    if (plan_.from_zero && !bind_product()) return false;
    out_.mixes.resize(plan_.mixes.size());
    out_.lanes.resize(plan_.mixes.size());
    out_.phases.resize(plan_.phases.size());
    out_.scales.assign(plan_.segments.size(), 1.0);
    for (std::size_t s = 0; s < plan_.segments.size(); ++s)
      if (!bind_segment(plan_.segments[s], out_.scales[s])) return false;
    for (std::size_t p = 0; p < plan_.phases.size(); ++p)
      if (plan_.phases[p].has_table) write_table(plan_.phases[p], out_.phases[p]);
    out_.generic.ensure(plan_.generic.bound_bytes);
    bind_row<T>(*plan_.generic_tape, plan_.generic, lanes_, angles_, out_.generic.data());
    return true;
  }

 private:
  bool values_of(std::int32_t f, Complex* values) const {
    const Factor& factor = plan_.form.factors[f];
    switch (factor.source) {
      case Factor::Source::kWordFront: {
        const Rotation& r = rotations_[factor.index];
        values[0] = values[2] = r.global;
        values[1] = values[3] = r.global * r.front;
        return true;
      }
      case Factor::Source::kWordBack: {
        const Rotation& r = rotations_[factor.index];
        values[0] = values[2] = 1;
        values[1] = values[3] = r.back;
        return true;
      }
      default: return factor_values(tape_, factor, angles_, values);
    }
  }

  bool bind_product() {
    out_.product.assign(2 * plan_.schedule.product.size(), Complex(0));
    for (std::size_t q = 0; q < plan_.schedule.product.size(); ++q) {
      Complex v[2] = {1, 0};
      for (const std::int32_t i : plan_.schedule.product[q]) {
        const Node& node = plan_.form.nodes[i];
        if (node.kind == Node::Kind::kMix) {
          const Rotation& r = rotations_[node.index];
          const double sign = r.reflects ? -1 : 1;
          const Complex a = r.c * v[0] - sign * r.s * v[1], b = r.s * v[0] + sign * r.c * v[1];
          v[0] = a;
          v[1] = b;
        } else {
          Complex values[4];
          if (!values_of(node.index, values)) return false;
          v[0] *= values[0];
          v[1] *= values[1];
        }
      }
      out_.product[2 * q] = v[0];
      out_.product[2 * q + 1] = v[1];
    }
    return true;
  }

  /// Scales are left for the next phases or lanes; what remains goes to the last of them, or to the write-back.
  bool bind_segment(const FusedSegment& segment, double& scale) {
    std::int32_t last = -1;
    for (std::int32_t i = segment.first; i < segment.last; ++i) {
      const FusedStep& step = plan_.steps[i];
      if (step.kind == Step::Kind::kPhases) {
        if (!bind_phases(plan_.phases[step.index], out_.phases[step.index])) return false;
      } else if (step.kind == Step::Kind::kMixes) {
        const MixPlan& mix = plan_.mixes[step.index];
        if (mix.in_lanes)
          bind_lanes(mix, out_.lanes[step.index]);
        else
          scale *= bind_mix(mix, out_.mixes[step.index]);
      }
      if (absorb(step, scale)) {
        last = i;
        scale = 1;
      }
    }
    if (last >= 0 && scale != 1) {
      absorb(plan_.steps[last], scale);
      scale = 1;
    }
    return true;
  }

  bool absorb(const FusedStep& step, double scale) {
    if (step.kind == Step::Kind::kPhases) {
      out_.phases[step.index].constant *= scale;
      return true;
    }
    if (step.kind != Step::Kind::kMixes || !plan_.mixes[step.index].in_lanes) return false;
    for (int i = 0; i < 2 * lanes_; ++i) out_.lanes[step.index][i] *= T(scale);
    return true;
  }

  double bind_mix(const MixPlan& mix, BoundMix<T>& bound) {
    double scale = 1;
    bound.flips = bound.reflects = 0;
    for (int k = 0; k < mix.count; ++k) {
      double t;
      bool flips, reflects;
      scale *= shape_of(rotations_[mix.words[k]], t, flips, reflects);
      bound.t[k] = T(t);
      bound.flips |= std::uint8_t(flips << k);
      bound.reflects |= std::uint8_t(reflects << k);
    }
    return scale;
  }

  void bind_lanes(const MixPlan& mix, std::vector<T>& out) {
    out.resize(std::size_t(2) * mix.count * lanes_);
    for (int k = 0; k < mix.count; ++k) {
      const Rotation& r = rotations_[mix.words[k]];
      const double sign = r.reflects ? -1 : 1;
      for (int lane = 0; lane < lanes_; ++lane) {
        const bool one = lane & mix.patterns[k];
        out[(2 * k) * lanes_ + lane] = T(one ? sign * r.c : r.c);
        out[(2 * k + 1) * lanes_ + lane] = T(one ? r.s : -sign * r.s);
      }
    }
  }

  bool bind_phases(const PhasePlan& phase, BoundPhases<T>& out) {
    out.constant = 1;
    out.factors.assign(tape_.num_qubits, Complex(1));
    out.nibble_tables.assign(16 * phase.nibbles.size(), Complex(1));
    std::vector<Complex>& pairs = out.pairs;
    pairs.assign(phase.pairs.size(), Complex(1));
    for (std::size_t i = 0; i < phase.factors.size(); ++i) {
      Complex v[4];
      if (!values_of(phase.factors[i], v)) return false;
      const Factor& factor = plan_.form.factors[phase.factors[i]];
      out.constant *= v[0];
      const Complex inverse = std::conj(v[0]);
      if (factor.qubits[0] >= 0) out.factors[factor.qubits[0]] *= v[1] * inverse;
      if (factor.qubits[1] >= 0) {
        out.factors[factor.qubits[1]] *= v[2] * inverse;
        pairs[phase.factor_pairs[i]] *= v[3] * v[0] * std::conj(v[1]) * std::conj(v[2]);
      }
    }
    for (std::size_t p = 0; p < phase.pairs.size(); ++p) {
      const std::int32_t place = phase.pair_places[p];
      if (place < 0) continue;
      // the qubit that the nibble looks at is the one that is not the row's
      const std::int8_t* qubits = phase.pairs[p].qubits;
      const int other = ((phase.block_mask >> qubits[1]) & 1) ? qubits[0] : qubits[1];
      Complex* table = out.nibble_tables.data() + 16 * std::size_t(place);
      for (int bits = 0; bits < 16; ++bits)
        if ((bits >> (other % 4)) & 1) table[bits] *= pairs[p];
    }
    return true;
  }

  /// All pairs inside a block and the factors of its qubits, by doubling.
  void write_table(const PhasePlan& phase, BoundPhases<T>& out) {
    const std::size_t size = std::size_t{1} << plan_.block_bits;
    std::vector<Complex>& values = scratch_;
    values.assign(size, Complex(1));
    std::uint64_t mask = phase.block_mask;
    for (int position = 0; mask != 0; mask &= mask - 1, ++position) {
      const int qubit = __builtin_ctzll(mask);
      // at this bit: its own factor times its couplings with the bits below
      std::vector<Complex>& coupled = coupled_;
      coupled.assign(std::size_t{1} << position, out.factors[qubit]);
      for (std::size_t p = 0; p < phase.pairs.size(); ++p) {
        if (phase.pair_places[p] >= 0 || phase.pairs[p].qubits[1] != qubit) continue;
        const std::size_t bit = std::size_t{1} << position_of(phase.pairs[p].qubits[0], phase.block_mask);
        for (std::size_t j = 0; j < coupled.size(); ++j)
          if (j & bit) coupled[j] *= out.pairs[p];
      }
      for (std::size_t j = 0; j < coupled.size(); ++j) values[j | coupled.size()] = values[j] * coupled[j];
    }
    T* const table = out.table.template array<T>(2 * size);
    for (std::size_t j = 0; j < size; ++j) {
      table[j] = T(values[j].real());
      table[size + j] = T(values[j].imag());
    }
  }

  const Tape& tape_;
  const FusedPlan& plan_;
  const int lanes_;
  const double* angles_;
  BoundPlan<T>& out_;
  std::vector<Rotation> rotations_;
  std::vector<Complex> scratch_, coupled_;
};

}  // namespace

template <class T>
FusedPlan make_fused_plan(const Tape& tape, int isa, TileShape shape, bool from_zero) {
  return FusedPlanner<T>(tape, isa, shape, from_zero).make();
}

template <class T>
bool bind_fused(const Tape& tape, const FusedPlan& plan, int lanes, const double* angles, BoundPlan<T>& out) {
  return Binder<T>(tape, plan, lanes, angles, out).bind();
}

#define QSIM_INSTANTIATE(T)                                                       \
  template FusedPlan make_fused_plan<T>(const Tape&, int, TileShape, bool); \
  template bool bind_fused<T>(const Tape&, const FusedPlan&, int, const double*, BoundPlan<T>&);
QSIM_INSTANTIATE(float)
QSIM_INSTANTIATE(double)
#undef QSIM_INSTANTIATE

}  // namespace qsim
