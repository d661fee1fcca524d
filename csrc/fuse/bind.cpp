// The numbers of a fused plan at given angles.
#include <algorithm>
#include <cmath>

#include "../execute/bits.hpp"
#include "../execute/threads.hpp"
#include "fused_plan.hpp"
#include "taps.hpp"

namespace qsim {
namespace {

constexpr double kLostString = 1e-12;  // what may be lost of a generator, relative to its largest coefficient

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
      checkpoint();
    }
    if (plan_.from_zero && !bind_product()) return false;
    out_.mixes.resize(plan_.mixes.size());
    out_.phases.resize(plan_.phases.size());
    out_.scales.assign(plan_.segments.size(), 1.0);
    out_.excess.assign(plan_.steps.size(), 1.0);
    for (std::size_t s = 0; s < plan_.segments.size(); ++s)
      if (!bind_segment(plan_.segments[s], out_.scales[s])) return false;
    out_.generic.ensure(plan_.generic.bound_bytes);
    bind_row<T>(*plan_.generic_tape, plan_.generic, lanes_, angles_, out_.generic.data());
    return bind_taps();
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
      checkpoint();
      out_.excess[i] = 1 / scale;
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
      for (std::int32_t i = last + 1; i < segment.last; ++i) out_.excess[i] *= scale;
      scale = 1;
    }
    return true;
  }

  /// The coefficients of strings that are read; false if what is not read does not vanish after all.
  bool bind_taps() {
    out_.taps.resize(plan_.taps.size());
    for (std::size_t p = 0; p < plan_.taps.size(); ++p) {
      const TapPlan& plan = plan_.taps[p];
      out_.taps[p].clear();
      std::size_t use = 0;
      for (const std::int32_t t : plan.taps) {
        checkpoint();
        const std::vector<TapString> strings = tap_strings(tape_, plan_.form, plan_.form.taps[t], rotations_.data(), angles_);
        double size = 0, lost = 0;
        for (std::size_t s = 0; s < strings.size(); ++s) {
          const double c = strings[s].coefficient;
          size = std::max(size, std::abs(c));
          lost = std::max(lost, std::abs(strings[s].hermitian));
          if (use < plan.uses.size() && plan.uses[use].tap == t && plan.uses[use].string == std::int32_t(s)) {
            out_.taps[p].push_back(c * plan.uses[use].sign);
            ++use;
          } else {
            lost = std::max(lost, std::abs(c));
          }
        }
        if (!(lost <= kLostString * size)) return false;
      }
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
      const Complex inverse = 1.0 / v[0];  // not the conjugate: the modulus is one but to some digits
      if (factor.qubits[0] >= 0) out.factors[factor.qubits[0]] *= v[1] * inverse;
      if (factor.qubits[1] >= 0) {
        out.factors[factor.qubits[1]] *= v[2] * inverse;
        pairs[phase.factor_pairs[i]] *= v[3] * v[0] / (v[1] * v[2]);
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

/// values[j | 2^position] = values[j] * factor for j < 2^position.
void double_with(std::vector<Complex>& values, int position, Complex factor) {
  const std::size_t half = std::size_t{1} << position;
  if (factor == 1.0) {
    std::copy_n(values.begin(), half, values.begin() + half);
  } else {
    for (std::size_t j = 0; j < half; ++j) values[j | half] = times(values[j], factor);
  }
}

/// All pairs inside a block and the factors of its qubits, by doubling.
template <class T>
void write_table(const PhasePlan& phase, int block_bits, BoundPhases<T>& bound, T* table, std::vector<Complex>& values,
                 std::vector<Complex>& coupled) {
  const std::size_t size = std::size_t{1} << block_bits;
  values.resize(size);
  coupled.resize(size);
  values[0] = 1;
  Complex couplings[kMaxBlockBits];  // of a qubit with those below it
  std::uint64_t mask = phase.block_mask;
  for (int position = 0; mask != 0; mask &= mask - 1, ++position) {
    const int qubit = __builtin_ctzll(mask);
    std::fill(couplings, couplings + position, Complex(1));
    bool has_any = false;
    for (std::size_t p = 0; p < phase.pairs.size(); ++p) {
      if (phase.pair_places[p] >= 0 || phase.pairs[p].qubits[1] != qubit) continue;
      couplings[position_of(phase.pairs[p].qubits[0], phase.block_mask)] *= bound.pairs[p];
      has_any = true;
    }
    if (!has_any) {
      double_with(values, position, bound.factors[qubit]);
      continue;
    }
    coupled[0] = bound.factors[qubit];
    for (int k = 0; k < position; ++k) double_with(coupled, k, couplings[k]);
    const std::size_t half = std::size_t{1} << position;
    for (std::size_t j = 0; j < half; ++j) values[j | half] = times(values[j], coupled[j]);
  }
  for (std::size_t j = 0; j < size; ++j) {
    table[j] = T(values[j].real());
    table[size + j] = T(values[j].imag());
  }
  bound.table = table;
}

}  // namespace

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

#define QSIM_INSTANTIATE(T)                                                                       \
  template bool bind_fused<T>(const Tape&, const FusedPlan&, int, const double*, BoundPlan<T>&); \
  template void bind_tables<T>(const FusedPlan&, const FusedSegment&, BoundPlan<T>&);
QSIM_INSTANTIATE(float)
QSIM_INSTANTIATE(double)
#undef QSIM_INSTANTIATE

}  // namespace qsim
