#include "fused_plan.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include "../execute/bits.hpp"
#include "../execute/threads.hpp"
#include "taps.hpp"

namespace qsim {
namespace {

constexpr std::size_t kMinExchanges = 3;  // fewer are cheaper one by one
constexpr std::size_t kMaxTables = 64;    // of phases in one segment: a megabyte
constexpr double kNoString = 1e-9;        // a coefficient that vanishes for all angles, but for rounding
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

  /// For a reverse tape.
  FusedPlanner(const Tape& tape, int isa, TileShape shape, const std::vector<std::int32_t>& slots)
      : FusedPlanner(tape, isa, shape, false) {
    slots_ = &slots;
  }

  /// False where some tap needs more than a tile.
  bool prepare() {
    plan_.form = make_normal_form(tape_, plan_.from_zero, slots_);
    const std::uint64_t low = (std::uint64_t{1} << shape_.low_bits) - 1;
    for (const Node& node : plan_.form.nodes)
      if (node.kind == Node::Kind::kTap && popcount(node.active & ~low) > shape_.active_bits) return false;
    taps_of_words_.resize(plan_.form.words.size());
    for (std::size_t t = 0; t < plan_.form.taps.size(); ++t)
      if (plan_.form.taps[t].word >= 0) taps_of_words_[plan_.form.taps[t].word].push_back(std::int32_t(t));
    return plan_.form.has_all_taps;
  }

  FusedPlan make() {
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
                                                plan_.form.generic_integers, plan_.form.generic_constants, std::move(alone));
    OpPlanner<T> ops(*plan_.generic_tape, isa_, plan_.generic);
    if (!plan_.form.taps.empty()) find_kept_strings();
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
    inside_ = segment.planned.layout.inside;
    num_sums_ = 0;
    const std::vector<Group> groups = gather_groups(scheduled, segment.planned);
    segment_phases_ = plan_.phases.size();
    for (std::size_t i = 0; i < groups.size();) {
      if (plan_.phases.size() >= segment_phases_ + kMaxTables) {  // another pass, rather than more memory
        close_segment(segment);
        segment.first = std::int32_t(plan_.steps.size());
        segment.planned.first = plan_.generic.ops.size();
      }
      checkpoint();
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
    segment.num_sums = num_sums_;
    num_sums_ = 0;
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
      checkpoint();
      Group group = std::move(steps[i]);
      if (group.kind != Step::Kind::kMixes || slots_ != nullptr) {  // a tap is read where no group has begun
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
      case Step::Kind::kTap: {
        plan_.steps.push_back({FusedKind::kTap, true, -1});
        add_taps(group.items);
        return;
      }
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
    if (slots_ == nullptr) return;
    std::vector<std::int32_t> taps;
    for (int k = 0; k < mix.count; ++k) {
      const std::vector<std::int32_t>& own = taps_of_words_[mix.words[k]];
      taps.insert(taps.end(), own.begin(), own.end());
    }
    add_taps(taps);
  }

  void add_phases(std::vector<std::int32_t> factors) {
    unscaled_ = 0;
    PhasePlan phase;
    std::vector<std::int32_t> taps;
    if (slots_ != nullptr) {
      const auto is_tap = [&](std::int32_t f) { return plan_.form.factors[f].source == Factor::Source::kTap; };
      for (const std::int32_t f : factors)
        if (is_tap(f)) taps.push_back(plan_.form.factors[f].index);
      factors.erase(std::remove_if(factors.begin(), factors.end(), is_tap), factors.end());
    }
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
    add_taps(taps);
  }

  /// Strings whose coefficients do not vanish for all angles: those that two sets of angles show.
  void find_kept_strings() {
    const std::size_t num_taps = plan_.form.taps.size();
    kept_.resize(num_taps);
    strings_.resize(num_taps);
    for (int attempt = 0; attempt < 2; ++attempt) {
      std::vector<double> angles(std::size_t(tape_.num_slots));
      for (std::size_t s = 0; s < angles.size(); ++s)
        angles[s] = std::fmod(0.3 + 0.618034 * double(s) + 0.7548777 * attempt, 1.0) * 2.5 + 0.2;
      std::vector<Rotation> rotations(plan_.form.words.size());
      for (std::size_t w = 0; w < rotations.size(); ++w) {
        Complex m[4];
        word_matrix(tape_, plan_.form, plan_.form.words[w], angles.data(), m);
        split_rotation(m, plan_.form.words[w].is_real, rotations[w]);
      }
      for (std::size_t t = 0; t < num_taps; ++t) {
        checkpoint();
        strings_[t] = tap_strings(tape_, plan_.form, plan_.form.taps[t], rotations.data(), angles.data());
        kept_[t].resize(strings_[t].size(), 0);
        for (std::size_t s = 0; s < strings_[t].size(); ++s) kept_[t][s] |= std::abs(strings_[t][s].coefficient) > kNoString;
        const std::int32_t word = plan_.form.taps[t].word;
        // the phases before a rotation turn X into Y: which of them is left depends on the angles
        if (word >= 0 && !plan_.form.words[word].is_real) kept_[t][2] = kept_[t][3] = kept_[t][2] | kept_[t][3];
      }
    }
  }

  /// What is to be read before the last step.
  void add_taps(const std::vector<std::int32_t>& taps) {
    if (taps.empty()) return;
    TapPlan plan;
    plan.taps = taps;
    std::map<std::pair<std::uint64_t, std::uint64_t>, std::size_t> sums;  // group and mask -> number inside its list
    struct Place {
      std::size_t group, part, number;
    };
    std::vector<Place> places;
    std::map<std::uint64_t, std::size_t> group_of;
    for (const std::int32_t t : taps)
      for (std::size_t s = 0; s < strings_[t].size(); ++s) {
        if (!kept_[t][s]) continue;
        const TapString& string = strings_[t][s];
        const auto found = group_of.emplace(string.x, plan.groups.size());
        if (found.second) {
          TapPlan::Group group{};
          for (std::uint64_t rest = string.x; rest != 0; rest &= rest - 1) {
            const int position = position_of(log2_of(rest & -rest), inside_);
            if (position < plan_.block_bits)
              group.x |= std::uint32_t{1} << position;
            else
              group.x_block |= std::uint64_t{1} << (position - plan_.block_bits);
          }
          if (group.x_block != 0) plan_.steps.back().blocked = false;
          plan.groups.push_back(group);
        }
        const int quarter = popcount(string.x & string.z) & 3;  // Im(i^quarter S)
        const std::size_t part = (quarter & 1) ? 0 : 1;
        std::vector<std::uint64_t>& masks = plan.groups[found.first->second].z[part];
        std::uint64_t z = (string.z & ~block_mask_) << kMaxBlockBits;
        for (std::uint64_t rest = string.z & block_mask_; rest != 0; rest &= rest - 1)
          z |= std::uint64_t{1} << position_of(log2_of(rest & -rest), block_mask_);
        const auto number = sums.emplace(std::make_pair(string.x, string.z), masks.size());
        if (number.second) masks.push_back(z);
        places.push_back({found.first->second, part, number.first->second});
        plan.uses.push_back({t, std::int32_t(s), std::int8_t(quarter < 2 ? 1 : -1), 0});
      }
    for (TapPlan::Group& group : plan.groups) {
      group.first_sum = num_sums_;
      num_sums_ += group.z[0].size() + group.z[1].size();
    }
    for (std::size_t u = 0; u < plan.uses.size(); ++u) {
      const TapPlan::Group& group = plan.groups[places[u].group];
      plan.uses[u].sum = group.first_sum + (places[u].part == 1 ? group.z[0].size() : 0) + places[u].number;
    }
    plan_.steps.back().taps = std::int32_t(plan_.taps.size());
    plan_.taps.push_back(std::move(plan));
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
  std::uint64_t block_mask_ = 0, inside_ = 0;
  const std::vector<std::int32_t>* slots_ = nullptr;        // of a reverse tape
  std::vector<std::vector<std::int32_t>> taps_of_words_;
  std::vector<std::vector<TapString>> strings_;             // of each tap, at some angles
  std::vector<std::vector<char>> kept_;                     // which of them are read
  std::size_t num_sums_ = 0;                                // of the segment
  FusedPlan plan_;
};

}  // namespace

template <class T>
FusedPlan make_fused_plan(const Tape& tape, int isa, TileShape shape, bool from_zero) {
  FusedPlanner<T> planner(tape, isa, shape, from_zero);
  planner.prepare();
  return planner.make();
}

template <class T>
std::optional<FusedPlan> make_sweep_plan(const Tape& tape, int isa, TileShape shape, const std::vector<std::int32_t>& slots) {
  FusedPlanner<T> planner(tape, isa, shape, slots);
  if (!planner.prepare()) return std::nullopt;
  FusedPlan plan = planner.make();
  plan.slots = slots;
  return plan;
}

template std::optional<FusedPlan> make_sweep_plan<float>(const Tape&, int, TileShape, const std::vector<std::int32_t>&);
template std::optional<FusedPlan> make_sweep_plan<double>(const Tape&, int, TileShape, const std::vector<std::int32_t>&);

template FusedPlan make_fused_plan<float>(const Tape&, int, TileShape, bool);
template FusedPlan make_fused_plan<double>(const Tape&, int, TileShape, bool);

}  // namespace qsim
