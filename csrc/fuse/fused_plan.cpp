#include "fused_plan.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include "../execute/bits.hpp"
#include "../execute/threads.hpp"

namespace qsim {
namespace {

constexpr std::size_t kMinExchanges = 3;  // fewer are cheaper one by one
constexpr std::size_t kMaxTables = 64;    // of phases in one segment: a megabyte
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
    const std::vector<Group> groups = gather_groups(scheduled, segment.planned);
    segment_phases_ = plan_.phases.size();
    for (std::size_t i = 0; i < groups.size();) {
      if (plan_.phases.size() >= segment_phases_ + kMaxTables) {  // another pass, rather than more memory
        close_segment(segment);
        segment.first = std::int32_t(plan_.steps.size());
        segment.planned.first = plan_.generic.ops.size();
      }
      std::size_t end = i;
      while (end < groups.size() && is_exchange(groups[end], segment)) ++end;
      if (end - i >= kMinExchanges) {
        add_permute(groups.data() + i, groups.data() + end, segment.planned.layout);
        i = end;
      } else {
        for (end = std::max(end, i + 1); i < end; ++i) add_group(groups[i], segment, ops);
      }
    }
    close_segment(segment);
  }

  void close_segment(FusedSegment& segment) {
    segment.planned.last = plan_.generic.ops.size();
    segment.last = std::int32_t(plan_.steps.size());
    plan_.segments.push_back(segment);
    segment_phases_ = plan_.phases.size();
  }

  /// Steps on their way into the plan. A group of rotations may have phases among its own qubits in between:
  /// `before[k]` are the factors that come before words[k].
  struct Group {
    Step::Kind kind;
    std::vector<std::int32_t> items;
    std::vector<std::vector<std::int32_t>> before;
  };

  std::uint64_t qubits_of_words(const std::vector<std::int32_t>& words) const {
    std::uint64_t mask = 0;
    for (const std::int32_t w : words) mask |= std::uint64_t{1} << plan_.form.words[w].qubit;
    return mask;
  }

  std::uint64_t qubits_of_factor(std::int32_t f) const {
    std::uint64_t mask = 0;
    for (const std::int8_t q : plan_.form.factors[f].qubits)
      if (q >= 0) mask |= std::uint64_t{1} << q;
    return mask;
  }

  /// Which kernel serves a qubit: 0 lanes, 1 registers of a block, 2 registers of the tile.
  int place_class(std::uint64_t qubits, const TileLayout& layout) const {
    int found = -1;
    for (; qubits != 0; qubits &= qubits - 1) {
      const int position = position_of(__builtin_ctzll(qubits), layout.inside);
      const int now = position < lane_bits_ ? 0 : position < plan_.block_bits ? 1 : 2;
      if (found >= 0 && now != found) return -1;
      found = now;
    }
    return found;
  }

  /// Rotation, phases, rotation: if the phases that touch the second are among the qubits of one group, the group
  /// does it all; the other phases wait until after it.
  std::vector<Group> gather_groups(const ScheduledSegment& scheduled, const PlannedSegment& planned) const {
    std::vector<Group> steps, out;
    for (std::int32_t s = scheduled.first; s < scheduled.last; ++s) {
      const Step& step = plan_.schedule.steps[s];
      const std::int32_t* items = plan_.schedule.items.data();
      steps.push_back({step.kind, {items + step.first, items + step.last}, {}});
    }
    for (std::size_t i = 0; i < steps.size(); ++i) {
      Group group = std::move(steps[i]);
      if (group.kind != Step::Kind::kMixes) {
        out.push_back(std::move(group));
        continue;
      }
      std::uint64_t mixed = qubits_of_words(group.items);
      const int place = place_class(mixed, planned.layout);
      const std::size_t room = place == 0 ? kMaxLaneBits : std::size_t(max_mix_);
      group.before.resize(group.items.size());
      std::vector<std::int32_t> waiting;
      while (place >= 0 && i + 2 < steps.size() && steps[i + 1].kind == Step::Kind::kPhases &&
             steps[i + 2].kind == Step::Kind::kMixes) {
        const std::uint64_t now = qubits_of_words(steps[i + 2].items);
        if (group.items.size() + steps[i + 2].items.size() > room || (now & mixed) != 0 ||
            place_class(mixed | now, planned.layout) != place)
          break;
        std::vector<std::int32_t> all = waiting, within, rest;
        all.insert(all.end(), steps[i + 1].items.begin(), steps[i + 1].items.end());
        bool possible = true;
        for (const std::int32_t f : all) {
          const std::uint64_t touched = qubits_of_factor(f);
          if ((touched & now) == 0)
            rest.push_back(f);
          else if ((touched & ~(mixed | now)) == 0)
            within.push_back(f);
          else
            possible = false;
        }
        if (!possible) break;
        waiting = std::move(rest);
        for (std::size_t k = 0; k < steps[i + 2].items.size(); ++k) {
          group.items.push_back(steps[i + 2].items[k]);
          group.before.push_back(k == 0 ? std::move(within) : std::vector<std::int32_t>{});
        }
        mixed |= now;
        i += 2;
      }
      out.push_back(std::move(group));
      if (waiting.empty()) continue;
      if (i + 1 < steps.size() && steps[i + 1].kind == Step::Kind::kPhases)
        steps[i + 1].items.insert(steps[i + 1].items.end(), waiting.begin(), waiting.end());
      else
        out.push_back({Step::Kind::kPhases, std::move(waiting), {}});
    }
    return out;
  }

  void add_group(const Group& group, const FusedSegment& segment, OpPlanner<T>& ops) {
    switch (group.kind) {
      case Step::Kind::kGeneric: {
        const Instruction& op = plan_.generic_tape->instructions[group.items.front()];
        const std::int32_t index = std::int32_t(plan_.generic.ops.size());
        ops.add(op, segment.planned);
        const bool in_tile = !segment.planned.whole && !segment.planned.streamed;
        plan_.steps.push_back({FusedKind::kGeneric, in_tile && stays_in_block(plan_.generic.ops.back()), index});
        return;
      }
      case Step::Kind::kMixes: {
        for (const auto& before : group.before)
          if (!before.empty()) return add_phased_mix(group, segment.planned.layout);
        return add_mixes(group.items.data(), group.items.data() + group.items.size(), segment.planned.layout);
      }
      case Step::Kind::kPhases: return add_phases(group.items);
    }
  }

  /// X with at most one control inside the tile, or SWAP without any.
  bool is_exchange(const Group& group, const FusedSegment& segment) const {
    if (group.kind != Step::Kind::kGeneric || segment.planned.whole || segment.planned.streamed) return false;
    const Instruction& op = plan_.generic_tape->instructions[group.items.front()];
    if (Pattern(op.pattern) != Pattern::kPermutation || op.num_targets > 2) return false;
    if (popcount(op.ctrl_mask & segment.planned.layout.inside) > (op.num_targets == 1 ? 1 : 0)) return false;
    const std::int32_t* sources = plan_.generic_tape->targets(op) + op.num_targets;
    for (int j = 0; j < (1 << op.num_targets); ++j) {
      const int wanted = op.num_targets == 1 ? j ^ 1 : ((j & 1) << 1) | (j >> 1);
      if (sources[j] != wanted || tape_.constants[op.data + j] != 1.0) return false;
    }
    return true;
  }

  void add_permute(const Group* first, const Group* last, const TileLayout& layout) {
    PermutePlan permute;
    for (; first < last; ++first) {
      const Instruction& op = plan_.generic_tape->instructions[first->items.front()];
      const std::int32_t* targets = plan_.generic_tape->targets(op);
      PermutePlan::Exchange exchange{};
      exchange.target = std::int8_t(position_of(targets[0], layout.inside));
      exchange.other = -1;
      exchange.swaps = op.num_targets == 2;
      if (exchange.swaps) exchange.other = std::int8_t(position_of(targets[1], layout.inside));
      if (const std::uint64_t control = op.ctrl_mask & layout.inside) {
        exchange.other = std::int8_t(position_of(log2_of(control), layout.inside));
        exchange.control_value = (op.ctrl_value & control) != 0;
      }
      exchange.outer_mask = op.ctrl_mask & ~layout.inside;
      exchange.outer_value = op.ctrl_value & ~layout.inside;
      permute.exchanges.push_back(exchange);
    }
    plan_.steps.push_back({FusedKind::kPermute, false, std::int32_t(plan_.permutes.size())});
    plan_.permutes.push_back(std::move(permute));
  }

  void add_phased_mix(const Group& group, const TileLayout& layout) {
    MixPlan mix{};
    mix.phased = true;
    bool blocked = true;
    for (std::size_t k = 0; k < group.items.size(); ++k) {
      const int position = position_of(plan_.form.words[group.items[k]].qubit, layout.inside);
      mix.in_lanes = position < lane_bits_;
      blocked &= position < plan_.block_bits;
      if (mix.in_lanes) {
        mix.patterns[k] = std::uint8_t(1 << position);
      } else {
        mix.op.strides[k] = std::uint64_t{1} << (position - lane_bits_);
        mix.op.fixed_mask |= mix.op.strides[k];
      }
      mix.words[k] = group.items[k];
      mix.phases[k] = group.before[k];
      ++mix.count;
    }
    unscaled_ = mix.in_lanes ? 0 : unscaled_ + mix.count;
    push_mix(mix, blocked);
    if (unscaled_ > kMaxUnscaled) add_phases({});
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
    plan_.steps.push_back({FusedKind::kMixes, blocked, std::int32_t(plan_.mixes.size())});
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
    plan_.steps.push_back({FusedKind::kPhases, true, std::int32_t(plan_.phases.size())});
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
  std::size_t segment_phases_ = 0;  // those before the segment
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
    out_.phases.resize(plan_.phases.size());
    out_.scales.assign(plan_.segments.size(), 1.0);
    for (std::size_t s = 0; s < plan_.segments.size(); ++s)
      if (!bind_segment(plan_.segments[s], out_.scales[s])) return false;
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
      if (step.kind == FusedKind::kPhases) {
        if (!bind_phases(plan_.phases[step.index], out_.phases[step.index])) return false;
      } else if (step.kind == FusedKind::kMixes) {
        const MixPlan& mix = plan_.mixes[step.index];
        if (mix.in_lanes) {
          if (!bind_lanes(mix, out_.mixes[step.index])) return false;
        } else if (mix.phased) {
          if (!bind_phased_mix(mix, out_.mixes[step.index].with_phases, scale)) return false;
        } else {
          scale *= bind_mix(mix, out_.mixes[step.index]);
        }
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
    if (step.kind == FusedKind::kPhases) {
      out_.phases[step.index].constant *= scale;
      return true;
    }
    if (step.kind != FusedKind::kMixes || !plan_.mixes[step.index].in_lanes) return false;
    for (int i = 0; i < 2 * lanes_; ++i) out_.mixes[step.index].lanes[i] *= T(scale);
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

  /// The product of factors at the values that `bit_of(qubit)` gives.
  template <class BitOf>
  bool phase_at(const std::vector<std::int32_t>& factors, const BitOf& bit_of, Complex& out) const {
    out = 1;
    for (const std::int32_t f : factors) {
      Complex values[4];
      if (!values_of(f, values)) return false;
      int bits = 0;
      for (int k = 0; k < 2; ++k) {
        const std::int8_t q = plan_.form.factors[f].qubits[k];
        if (q >= 0) bits |= bit_of(q) << k;
      }
      out *= values[bits];
    }
    return true;
  }

  bool bind_phased_mix(const MixPlan& mix, PhasedMix<T>& out, double& scale) const {
    out.flips = 0;
    for (int k = 0; k < mix.count; ++k) {
      out.phased[k] = 0;
      for (int g = 0; g < (1 << mix.count) && !mix.phases[k].empty(); ++g) {
        const int member = g ^ out.flips;  // what lies in register g by now
        Complex phase;
        const auto bit_of = [&](int qubit) {
          for (int m = 0; m < mix.count; ++m)
            if (plan_.form.words[mix.words[m]].qubit == qubit) return (member >> m) & 1;
          return 0;
        };
        if (!phase_at(mix.phases[k], bit_of, phase)) return false;
        if (phase == 1.0) continue;
        out.phased[k] |= std::uint8_t(1 << g);
        out.phases[k][2 * g] = T(phase.real());
        out.phases[k][2 * g + 1] = T(phase.imag());
      }
      double t;
      bool flips, reflects;
      scale *= shape_of(rotations_[mix.words[k]], t, flips, reflects);
      out.matrix[k][0] = T(reflects ? t : -t);
      out.matrix[k][1] = T(t);
      out.matrix[k][2] = T(reflects ? -1 : 1);
      out.flips |= std::uint8_t(flips << k);
    }
    return true;
  }

  bool bind_lanes(const MixPlan& mix, BoundMix<T>& bound) const {
    std::vector<T>& out = bound.lanes;
    out.resize(std::size_t(2) * mix.count * lanes_);
    bound.phased = 0;
    if (mix.phased) bound.lane_phases.resize(out.size());
    for (int k = 0; k < mix.count; ++k) {
      const Rotation& r = rotations_[mix.words[k]];
      const double sign = r.reflects ? -1 : 1;
      for (int lane = 0; lane < lanes_; ++lane) {
        const bool one = lane & mix.patterns[k];
        out[(2 * k) * lanes_ + lane] = T(one ? sign * r.c : r.c);
        out[(2 * k + 1) * lanes_ + lane] = T(one ? r.s : -sign * r.s);
      }
      if (mix.phases[k].empty()) continue;
      bound.phased |= std::uint8_t(1 << k);
      for (int lane = 0; lane < lanes_; ++lane) {
        Complex phase;
        const auto bit_of = [&](int qubit) {
          for (int m = 0; m < mix.count; ++m)
            if (plan_.form.words[mix.words[m]].qubit == qubit) return int((lane & mix.patterns[m]) != 0);
          return 0;
        };
        if (!phase_at(mix.phases[k], bit_of, phase)) return false;
        bound.lane_phases[(2 * k) * lanes_ + lane] = T(phase.real());
        bound.lane_phases[(2 * k + 1) * lanes_ + lane] = T(phase.imag());
      }
    }
    return true;
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

  const Tape& tape_;
  const FusedPlan& plan_;
  const int lanes_;
  const double* angles_;
  BoundPlan<T>& out_;
  std::vector<Rotation> rotations_;
};

/// All pairs inside a block and the factors of its qubits, by doubling.
template <class T>
void write_table(const PhasePlan& phase, int block_bits, BoundPhases<T>& bound, T* table, std::vector<Complex>& values,
                 std::vector<Complex>& coupled) {
  const std::size_t size = std::size_t{1} << block_bits;
  values.assign(size, Complex(1));
  std::uint64_t mask = phase.block_mask;
  for (int position = 0; mask != 0; mask &= mask - 1, ++position) {
    const int qubit = __builtin_ctzll(mask);
    // at this bit: its own factor times its couplings with the bits below
    coupled.assign(std::size_t{1} << position, bound.factors[qubit]);
    for (std::size_t p = 0; p < phase.pairs.size(); ++p) {
      if (phase.pair_places[p] >= 0 || phase.pairs[p].qubits[1] != qubit) continue;
      const std::size_t bit = std::size_t{1} << position_of(phase.pairs[p].qubits[0], phase.block_mask);
      for (std::size_t j = 0; j < coupled.size(); ++j)
        if (j & bit) coupled[j] *= bound.pairs[p];
    }
    for (std::size_t j = 0; j < coupled.size(); ++j) values[j | coupled.size()] = values[j] * coupled[j];
  }
  for (std::size_t j = 0; j < size; ++j) {
    table[j] = T(values[j].real());
    table[size + j] = T(values[j].imag());
  }
  bound.table = table;
}

}  // namespace

template <class T>
FusedPlan make_fused_plan(const Tape& tape, int isa, TileShape shape, bool from_zero) {
  return FusedPlanner<T>(tape, isa, shape, from_zero).make();
}

template <class T>
bool bind_fused(const Tape& tape, const FusedPlan& plan, int lanes, const double* angles, BoundPlan<T>& out) {
  return Binder<T>(tape, plan, lanes, angles, out).bind();
}

template <class T>
void bind_tables(const FusedPlan& plan, const FusedSegment& segment, BoundPlan<T>& out) {
  std::vector<Complex> values, coupled;
  std::size_t used = 0;
  for (std::int32_t i = segment.first; i < segment.last; ++i) {
    if (plan.steps[i].kind != FusedKind::kPhases || !plan.phases[plan.steps[i].index].has_table) continue;
    if (used == out.tables.size()) out.tables.emplace_back();
    T* const table = out.tables[used++].template array<T>(std::size_t{2} << plan.block_bits);
    write_table(plan.phases[plan.steps[i].index], plan.block_bits, out.phases[plan.steps[i].index], table, values, coupled);
    if (used % 16 == 0) checkpoint();
  }
}

#define QSIM_INSTANTIATE(T)                                                       \
  template FusedPlan make_fused_plan<T>(const Tape&, int, TileShape, bool); \
  template bool bind_fused<T>(const Tape&, const FusedPlan&, int, const double*, BoundPlan<T>&); \
  template void bind_tables<T>(const FusedPlan&, const FusedSegment&, BoundPlan<T>&);
QSIM_INSTANTIATE(float)
QSIM_INSTANTIATE(double)
#undef QSIM_INSTANTIATE

}  // namespace qsim
