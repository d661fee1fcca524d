// Runs lane programs: a group of as many members as a register has lanes at a time; threads take groups. The last group is
// filled up with copies, and no member's numbers meet another's, so a result depends on the member alone.
#include "lanes.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "../dispatch.hpp"
#include "threads.hpp"
#include "workspace.hpp"

namespace qsim {
namespace {

constexpr std::size_t kManyPages = std::size_t{1} << 18;  // bytes from which on ...
constexpr std::size_t kHugePage = std::size_t{1} << 21;   // ... a buffer is made big enough for huge pages
constexpr std::size_t kStateGap = 320;  // bytes between states, so that they do not begin in the same cache sets

template <class T>
const std::vector<T>& in_precision(const std::vector<double>& wide, const std::vector<float>& narrow) {
  if constexpr (sizeof(T) == sizeof(double))
    return wide;
  else
    return narrow;
}

/// One group: its states, its coefficients, and the steps of the program on them.
template <class T>
class Group {
 public:
  Group(const LaneProgram& program, const KernelTable& table, std::int64_t num_states)
      : program_(program),
        kernels_(kernels_for<T>(table).lanes),
        lanes_(std::size_t(table.vector_bytes) / sizeof(T)),
        most_(table.vector_bytes >= 64 ? kMaxLaneMix : kMaxLaneMix - 1),  // registers of the instruction set
        most_back_(most_ - 1),
        dim_(std::size_t{1} << program.num_qubits),
        num_states_(num_states) {
    const std::size_t size = 2 * dim_ * lanes_ + kStateGap / sizeof(T);
    std::size_t bytes = std::size_t(num_states) * size * sizeof(T);
    if (bytes >= kManyPages) bytes = std::max(bytes, kHugePage);
    T* const memory = static_cast<T*>(workspace().tile.ensure(bytes));
    for (std::int64_t k = 0; k < num_states; ++k) states_.push_back(memory + std::size_t(k) * size);
    std::size_t num_registers = 0, num_exponents = 0;
    for (const LaneProgram::Step& step : program.steps) {
      places_.push_back(num_registers * lanes_);
      if (step.kind == LaneProgram::Kind::kMix)
        num_registers += 4 * std::size_t(step.last - step.first);  // enough for either direction
      if (step.kind == LaneProgram::Kind::kPhases && !phases_of(step).constant) {
        num_registers += 2 * phases_of(step).num_entries();
        num_exponents = std::max(num_exponents, phases_of(step).num_entries());
      }
    }
    coefficients_ = workspace().coefficients.array<T>(num_registers * lanes_);
    back_coefficients_ = workspace().other_tile.array<T>(4 * std::size_t(program.num_turns) * lanes_);
    double* const doubles = workspace().entries.array<double>(
        (std::size_t(program.num_slots + program.num_angles) + num_exponents) * lanes_);
    theta_ = doubles;
    angles_ = theta_ + std::size_t(program.num_slots) * lanes_;
    exponents_ = angles_ + std::size_t(program.num_angles) * lanes_;
  }

  std::size_t lanes() const { return lanes_; }
  T* state(std::int64_t k = 0) const { return states_[std::size_t(k)]; }

  /// Coefficients at the angles of members `first` and on; for the way back, too, if `back`.
  void bind(const double* angles, std::int64_t angle_rows, std::int64_t first, std::int64_t batch, bool from_zero,
            bool back) {
    for (std::size_t lane = 0; lane < lanes_; ++lane) {
      const std::int64_t row = angle_rows == 1 ? 0 : std::min(first + std::int64_t(lane), batch - 1);
      const double* const own = angles + row * program_.num_slots;
      for (int slot = 0; slot < program_.num_slots; ++slot) theta_[std::size_t(slot) * lanes_ + lane] = own[slot];
    }
    const LaneArrays& a = program_.arrays;
    const std::size_t num_numbers = std::size_t(program_.num_angles) * lanes_;
    if (kernels_.angles(theta_, lanes_, std::size_t(program_.num_angles), a.constants.data(), a.first.data(),
                        a.slots.data(), a.weights.data(), angles_))
      for (std::size_t i = 0; i < num_numbers; ++i)
        if (!(std::abs(angles_[i]) < kMaxReduced)) angles_[i] = std::atan2(std::sin(angles_[i]), std::cos(angles_[i]));
    for (std::size_t s = 0; s < program_.steps.size(); ++s) {
      const LaneProgram::Step& step = program_.steps[s];
      if (step.kind == LaneProgram::Kind::kPhases && !phases_of(step).constant) bind_phases(phases_of(step), places_[s]);
      if (step.kind != LaneProgram::Kind::kMix) continue;
      if (s == 0 && from_zero)
        kernels_.polar(angle(step.first), std::size_t(step.last - step.first), coefficients_ + places_[s]);
      else
        bind_mixes(step, most_, coefficients_ + places_[s]);
      if (back) bind_mixes(step, most_back_, back_coefficients_ + 4 * std::size_t(step.first) * lanes_);
    }
  }

  void run_from_zero() {
    const bool product = !program_.steps.empty() && program_.steps[0].kind == LaneProgram::Kind::kMix;
    const std::size_t count = product ? std::size_t(program_.steps[0].last - program_.steps[0].first) : 0;
    if (count != std::size_t(program_.num_qubits)) std::memset(state(), 0, 2 * dim_ * lanes_ * sizeof(T));
    std::uint32_t x[kMaxLaneQubits];
    for (std::size_t k = 0; k < count; ++k) x[k] = program_.arrays.turns[2 * (std::size_t(program_.steps[0].first) + k)];
    kernels_.product(state(), x, coefficients_, count);
    run(product ? 1 : 0);
  }

  void run(std::size_t first = 0) {
    for (std::size_t s = first; s < program_.steps.size(); ++s) {
      const LaneProgram::Step& step = program_.steps[s];
      switch (step.kind) {
        case LaneProgram::Kind::kMix: {
          for_each_block(step, most_, coefficients_ + places_[s],
                         [&](const LaneMix& mix, const LaneWalk& walk, const T* coefficients) {
                           kernels_.mix[mix.count - 1](state(), walk, mix.offsets, coefficients);
                         });
          break;
        }
        case LaneProgram::Kind::kPhases: multiply_phases(s, 1, false, nullptr, true); break;
        case LaneProgram::Kind::kMatrix: multiply_matrix(step, 1, false); break;
      }
      if (s % 4 == 3) checkpoint();
    }
  }

  /// From the state at the end and its cotangents: adds to sums, (cotangents, angles), half the derivative by each angle
  /// that is wanted.
  void run_back(const std::vector<std::uint8_t>& wanted, double* sums) {
    const std::size_t num_angles = std::size_t(program_.num_angles);
    const auto is_wanted = [&](std::size_t first, std::size_t last) {
      return std::any_of(wanted.begin() + std::ptrdiff_t(first), wanted.begin() + std::ptrdiff_t(last),
                         [](std::uint8_t w) { return w != 0; });
    };
    const auto range_of = [&](const LaneProgram::Step& step) {
      const std::size_t shift = step.kind == LaneProgram::Kind::kMix ? 0 : std::size_t(program_.num_turns);
      return step.kind == LaneProgram::Kind::kMatrix
                 ? std::pair<std::size_t, std::size_t>(0, 0)
                 : std::pair<std::size_t, std::size_t>(shift + std::size_t(step.first), shift + std::size_t(step.last));
    };
    std::size_t end = 0;  // before this step nothing is wanted
    while (end < program_.steps.size() && !is_wanted(range_of(program_.steps[end]).first, range_of(program_.steps[end]).second))
      ++end;
    const std::size_t count = std::size_t(num_states_) - 1;
    for (std::size_t s = program_.steps.size(); s-- > end;) {
      const LaneProgram::Step& step = program_.steps[s];
      const auto [first, last] = range_of(step);
      const bool undo = s > end, want = is_wanted(first, last);
      if (step.kind == LaneProgram::Kind::kMix) {
        for_each_block(step, most_back_, back_coefficients_ + 4 * std::size_t(step.first) * lanes_,
                       [&](const LaneMix& mix, const LaneWalk& walk, const T* coefficients) {
                         for (std::size_t k = 0; k < count; ++k)
                           kernels_.unmix[mix.count - 1](
                               state(), states_[k + 1], walk, mix.offsets, coefficients, undo && k + 1 == count, undo,
                               want ? sums + (k * num_angles + std::size_t(mix.first)) * lanes_ : nullptr);
                       });
      } else if (step.kind == LaneProgram::Kind::kMatrix) {
        multiply_matrix(step, num_states_, true);
      } else {
        double* const overlaps = want ? workspace().values.array<double>(count * dim_ * lanes_) : nullptr;
        multiply_phases(s, num_states_, true, overlaps, undo);
        for (std::size_t k = 0; want && k < count; ++k) {
          double* const own = overlaps + k * dim_ * lanes_;
          kernels_.walsh(own, lanes_, program_.num_qubits);
          for (int m = step.first; m < step.last; ++m) {
            double* const sum = sums + (k * num_angles + std::size_t(program_.num_turns + m)) * lanes_;
            const double* const value = own + std::size_t(program_.arrays.phases[std::size_t(m)]) * lanes_;
            for (std::size_t lane = 0; lane < lanes_; ++lane) sum[lane] -= value[lane];
          }
        }
      }
      if (s % 4 == 3) checkpoint();
    }
  }

  void load(const std::complex<T>* initial, std::int64_t rows, std::int64_t first, std::int64_t batch) {
    for (std::size_t lane = 0; lane < lanes_; ++lane) {
      const std::int64_t row = rows == 1 ? 0 : std::min(first + std::int64_t(lane), batch - 1);
      const std::complex<T>* const from = initial + std::size_t(row) * dim_;
      for (std::size_t b = 0; b < dim_; ++b) {
        state()[2 * b * lanes_ + lane] = from[b].real();
        state()[(2 * b + 1) * lanes_ + lane] = from[b].imag();
      }
    }
  }

  /// States at the end, `stride` states apart, into state k.
  void load_end(const std::complex<T>* states, std::int64_t stride, std::int64_t k, std::int64_t first,
                std::int64_t batch) {
    T* const to = state(k);
    for (std::size_t lane = 0; lane < lanes_; ++lane) {
      const std::int64_t row = std::min(first + std::int64_t(lane), batch - 1);
      const std::complex<T>* const from = states + std::size_t(row * stride) * dim_;
      for (std::size_t b = 0; b < dim_; ++b) {
        T* const place = to + 2 * std::size_t(program_.places[b]) * lanes_ + lane;
        place[0] = from[b].real();
        place[lanes_] = from[b].imag();
      }
    }
  }

  void save(std::int64_t first, std::int64_t batch, std::complex<T>* out) const {
    const std::size_t count = std::min(lanes_, std::size_t(batch - first));
    out += std::size_t(first) * dim_;
    for (std::size_t b = 0; b < dim_; ++b) {
      const T* const from = state() + 2 * std::size_t(program_.places[b]) * lanes_;
      for (std::size_t lane = 0; lane < count; ++lane)
        out[lane * dim_ + b] = std::complex<T>(from[lane], from[lanes_ + lane]);
    }
  }

  /// Values by observable and lane, from the state.
  void values(const LaneObservables& observables, const std::vector<const double*>& diagonals, double* out) const {
    const std::size_t num_diagonals = diagonals.size();
    double* const sums = workspace().sums.array<double>((num_diagonals + 1) * lanes_);
    kernels_.diagonal_values(state(), dim_, diagonals.data(), num_diagonals, sums);
    std::size_t k = 0;
    for (std::size_t o = 0; o < observables.diagonals.size(); ++o) {
      if (observables.diagonals[o] != nullptr)
        std::copy_n(sums + lanes_ * k++, lanes_, out + o * lanes_);
      else
        std::fill_n(out + o * lanes_, lanes_, 0.0);
    }
    for (const LaneObservables::Entry& entry : observables.entries) {
      if (entry.x == 0) continue;
      kernels_.string_value(state(), dim_, entry.x, entry.table, out + std::size_t(entry.observable) * lanes_);
      checkpoint();
    }
  }

  /// The observables applied to the state become the cotangents; and their values.
  void apply(const LaneObservables& observables, double* out) const {
    std::vector<bool> written(std::size_t(observables.num_observables));
    for (const LaneObservables::Entry& entry : observables.entries) {
      const std::size_t o = std::size_t(entry.observable);
      kernels_.apply_strings(state(), states_[o + 1], dim_, entry.x, entry.table, entry.real, written[o]);
      written[o] = true;
      checkpoint();
    }
    for (std::size_t o = 0; o < written.size(); ++o) {
      if (!written[o]) std::memset(states_[o + 1], 0, 2 * dim_ * lanes_ * sizeof(T));
      kernels_.overlap(state(), states_[o + 1], dim_, out + o * lanes_);
    }
  }

 private:
  const LanePhaseStep& phases_of(const LaneProgram::Step& step) const { return program_.phases[std::size_t(step.index)]; }
  const double* angle(int i) const { return angles_ + std::size_t(i) * lanes_; }
  template <class Body>
  void for_each_mix(const LaneProgram::Step& step, int most, const Body& body) const {
    for (int b = step.first_blocks[most]; b < step.last_blocks[most]; ++b) {
      const LaneBlocks& blocks = program_.blocks[most][std::size_t(b)];
      for (int m = blocks.first; m < blocks.last; ++m) body(program_.mixes[most][std::size_t(m)]);
    }
  }

  /// body(mix, its walk, its coefficients) block by block.
  template <class Body>
  void for_each_block(const LaneProgram::Step& step, int most, const T* coefficients, const Body& body) const {
    for (int b = step.first_blocks[most]; b < step.last_blocks[most]; ++b) {
      const LaneBlocks& blocks = program_.blocks[most][std::size_t(b)];
      const T* next = coefficients;
      std::uint32_t base = blocks.walk.start;
      for (std::uint32_t i = 1; i <= std::uint32_t{1} << blocks.walk.bits; ++i) {
        next = coefficients;
        for (int m = blocks.first; m < blocks.last; ++m) {
          const LaneMix& mix = program_.mixes[most][std::size_t(m)];
          LaneWalk walk = mix.walk;
          walk.start ^= base;
          body(mix, walk, next);
          next += std::size_t(mix.count + 1) * lanes_;
        }
        base ^= blocks.walk.steps[__builtin_ctz(i) & (kMaxLaneQubits - 1)];
      }
      coefficients = next;
    }
  }

  void bind_mixes(const LaneProgram::Step& step, int most, T* out) const {
    for_each_mix(step, most, [&](const LaneMix& mix) {
      kernels_.turns(angle(mix.first), std::size_t(mix.count), out);
      out += std::size_t(mix.count + 1) * lanes_;
    });
  }

  /// exp(i sum of +- angles) over both lists: the sums are Walsh-Hadamard transforms.
  void bind_phases(const LanePhaseStep& step, std::size_t place) {
    const std::size_t num_low = std::size_t{1} << step.plan.low_bits, num_entries = step.num_entries();
    const std::size_t num_variants = std::size_t{1} << step.patterns.size();
    std::fill_n(exponents_, num_entries * lanes_, 0.0);
    double* const high_exponents = exponents_ + num_variants * num_low * lanes_;
    const auto add = [&](double* to, const double* from, bool minus) {
      for (std::size_t lane = 0; lane < lanes_; ++lane) to[lane] += minus ? -from[lane] : from[lane];
    };
    for (int m = step.first; m < step.last; ++m) {
      const std::uint32_t z = program_.arrays.phases[std::size_t(m)];
      const std::size_t low = z & (num_low - 1), high = z >> step.plan.low_bits;
      const double* const own = angle(program_.num_turns + m);
      if (low == 0 && high != 0) {
        add(high_exponents + high * lanes_, own, false);
        continue;
      }
      const std::size_t pattern =
          high == 0 ? 0 : std::size_t(std::find(step.patterns.begin(), step.patterns.end(), high) - step.patterns.begin());
      for (std::size_t v = 0; v < num_variants; ++v)
        add(exponents_ + (v * num_low + low) * lanes_, own, high != 0 && ((v >> pattern) & 1) != 0);
    }
    for (std::size_t v = 0; v < num_variants; ++v)
      kernels_.walsh(exponents_ + v * num_low * lanes_, lanes_, step.plan.low_bits);
    kernels_.walsh(high_exponents, lanes_, step.plan.high_bits);
    kernels_.polar(exponents_, num_entries, coefficients_ + place);
  }

  void multiply_phases(std::size_t s, std::int64_t num_states, bool inverse, double* overlaps, bool apply) const {
    const LanePhaseStep& step = phases_of(program_.steps[s]);
    if (step.constant) {
      const T* const table = in_precision<T>(step.table, step.single_table).data();
      for (std::int64_t k = 0; k < num_states; ++k) kernels_.constant_phases(state(k), dim_, table, step.real, inverse);
      return;
    }
    const T* const tables = coefficients_ + places_[s];
    const T* const factors = tables + (2 * lanes_ << (step.plan.low_bits + int(step.patterns.size())));
    kernels_.phases[inverse](states_.data(), int(num_states), step.plan, tables, factors, overlaps, apply);
  }

  void multiply_matrix(const LaneProgram::Step& step, std::int64_t num_states, bool inverse) const {
    const LaneMatrix& matrix = program_.matrices[std::size_t(step.index)];
    const std::vector<T>& entries = inverse ? in_precision<T>(matrix.inverse, matrix.single_inverse)
                                            : in_precision<T>(matrix.entries, matrix.single_entries);
    for (std::int64_t k = 0; k < num_states; ++k)
      kernels_.dense[matrix.num_targets - 1](state(k), matrix.walk, matrix.offsets, entries.data());
  }

  const LaneProgram& program_;
  const LaneKernels<T>& kernels_;
  const std::size_t lanes_;
  const int most_, most_back_;
  const std::size_t dim_;
  const std::int64_t num_states_;
  std::vector<T*> states_;           // the state, then its cotangents
  std::vector<std::size_t> places_;  // of each step's coefficients
  T *coefficients_, *back_coefficients_;
  double *theta_, *angles_, *exponents_;
};

/// Kernels of registers just wide enough for so many members, if they multiply and add in one step as wider ones do.
template <class T>
const KernelTable& narrow_table(std::int64_t batch) {
  int isa = current_isa();
  while (isa > 1 && batch * std::int64_t(sizeof(T)) <= kernel_table(isa - 1).vector_bytes) --isa;
  return kernel_table(isa);
}

/// body(group, first member) for all groups; a thread keeps its buffers from one to the next.
template <class T, class Body>
void for_each_group(const LaneProgram& program, const KernelTable& table, std::int64_t num_states, std::int64_t batch,
                    int threads, const Body& body) {
  const std::int64_t lanes = table.vector_bytes / int(sizeof(T)), num_groups = (batch + lanes - 1) / lanes;
  const std::int64_t per_chunk = std::max<std::int64_t>(1, std::min<std::int64_t>(8, num_groups / (4 * threads)));
  parallel_for((num_groups + per_chunk - 1) / per_chunk, threads, [&](std::int64_t chunk) {
    Group<T> group(program, table, num_states);
    for (std::int64_t g = chunk * per_chunk; g < std::min(num_groups, (chunk + 1) * per_chunk); ++g) {
      body(group, g * lanes);
      checkpoint();
    }
  });
}

}  // namespace

template <class T>
void run_lanes(const LaneProgram& program, const std::complex<T>* initial, std::int64_t initial_rows, std::int64_t batch,
               const double* angles, std::int64_t angle_rows, int threads, std::complex<T>* out) {
  for_each_group<T>(program, kernel_table(current_isa()), 1, batch, threads, [&](Group<T>& group, std::int64_t first) {
    group.bind(angles, angle_rows, first, batch, initial == nullptr, false);
    if (initial == nullptr) {
      group.run_from_zero();
    } else {
      group.load(initial, initial_rows, first, batch);
      group.run();
    }
    group.save(first, batch, out);
  });
}

template <class T>
void expectation_lanes(const LaneProgram& program, const LaneObservables& observables, std::int64_t batch,
                       const double* angles, std::int64_t angle_rows, int threads, double* out) {
  std::vector<const double*> diagonals;
  for (const double* diagonal : observables.diagonals)
    if (diagonal != nullptr) diagonals.push_back(diagonal);
  const std::size_t count = std::size_t(observables.num_observables);
  for_each_group<T>(program, kernel_table(current_isa()), 1, batch, threads, [&](Group<T>& group, std::int64_t first) {
    group.bind(angles, angle_rows, first, batch, true, false);
    group.run_from_zero();
    double* const values = workspace().block.array<double>(count * group.lanes());
    group.values(observables, diagonals, values);
    for (std::size_t lane = 0; lane < group.lanes() && first + std::int64_t(lane) < batch; ++lane)
      for (std::size_t o = 0; o < count; ++o)
        out[(std::size_t(first) + lane) * count + o] = values[o * group.lanes() + lane];
  });
}

namespace {

/// Sweeps a group back and adds up its derivatives by the slots.
class Derivatives {
 public:
  Derivatives(const LaneProgram& program, const std::vector<std::uint8_t>& wanted, std::int64_t batch, std::size_t count,
              double* out)
      : program_(program), wanted_(std::size_t(program.num_angles)), count_(count), out_(out) {
    const LaneArrays& a = program.arrays;
    for (std::size_t i = 0; i < wanted_.size(); ++i)
      for (std::int32_t t = a.first[i]; t < a.first[i + 1]; ++t) wanted_[i] |= wanted[std::size_t(a.slots[std::size_t(t)])];
    std::fill_n(out, std::size_t(batch) * count * std::size_t(program.num_slots), 0.0);
  }

  template <class T>
  void add(Group<T>& group, std::int64_t first, std::size_t members) const {
    const LaneArrays& a = program_.arrays;
    const std::size_t lanes = group.lanes(), num_angles = wanted_.size(), num_slots = std::size_t(program_.num_slots);
    double* const sums = workspace().block.array<double>(count_ * num_angles * lanes);
    std::fill_n(sums, count_ * num_angles * lanes, 0.0);
    group.run_back(wanted_, sums);
    for (std::size_t o = 0; o < count_; ++o)
      for (std::size_t i = 0; i < num_angles; ++i) {
        if (!wanted_[i]) continue;
        const double* const sum = sums + (o * num_angles + i) * lanes;
        for (std::int32_t t = a.first[i]; t < a.first[i + 1]; ++t)
          for (std::size_t lane = 0; lane < members; ++lane)
            out_[((std::size_t(first) + lane) * count_ + o) * num_slots + std::size_t(a.slots[std::size_t(t)])] +=
                2 * a.weights[std::size_t(t)] * sum[lane];
      }
  }

 private:
  const LaneProgram& program_;
  std::vector<std::uint8_t> wanted_;  // angles
  const std::size_t count_;
  double* const out_;
};

}  // namespace

template <class T>
void gradient_lanes(const LaneProgram& program, const LaneObservables& observables, const std::vector<std::uint8_t>& wanted,
                    std::int64_t batch, const double* angles, std::int64_t angle_rows, int threads, double* values,
                    double* derivatives) {
  const std::size_t count = std::size_t(observables.num_observables);
  const Derivatives slopes(program, wanted, batch, count, derivatives);
  // The whole batch comes in one call, so that its size may decide.
  for_each_group<T>(program, narrow_table<T>(batch), std::int64_t(count) + 1, batch, threads, [&](Group<T>& group, std::int64_t first) {
    const std::size_t lanes = group.lanes(), members = std::min(lanes, std::size_t(batch - first));
    group.bind(angles, angle_rows, first, batch, true, true);
    group.run_from_zero();
    double* const own = workspace().block.array<double>(count * lanes);
    group.apply(observables, own);
    for (std::size_t lane = 0; lane < members; ++lane)
      for (std::size_t o = 0; o < count; ++o) values[(std::size_t(first) + lane) * count + o] = own[o * lanes + lane];
    slopes.add(group, first, members);
  });
}

template <class T>
void sweep_lanes(const LaneProgram& program, const std::complex<T>* states, const std::complex<T>* cotangents,
                 const std::vector<std::uint8_t>& wanted, std::int64_t batch, std::int64_t count, const double* angles,
                 std::int64_t angle_rows, int threads, double* derivatives) {
  const Derivatives slopes(program, wanted, batch, std::size_t(count), derivatives);
  for_each_group<T>(program, kernel_table(current_isa()), count + 1, batch, threads, [&](Group<T>& group, std::int64_t first) {
    group.bind(angles, angle_rows, first, batch, false, true);
    group.load_end(states, 1, 0, first, batch);
    for (std::int64_t k = 0; k < count; ++k)
      group.load_end(cotangents + (std::size_t(k) << program.num_qubits), count, k + 1, first, batch);
    slopes.add(group, first, std::min(group.lanes(), std::size_t(batch - first)));
  });
}

#define QSIM_INSTANTIATE(T)                                                                                          \
  template void run_lanes<T>(const LaneProgram&, const std::complex<T>*, std::int64_t, std::int64_t, const double*,  \
                             std::int64_t, int, std::complex<T>*);                                                   \
  template void expectation_lanes<T>(const LaneProgram&, const LaneObservables&, std::int64_t, const double*,        \
                                     std::int64_t, int, double*);                                                    \
  template void gradient_lanes<T>(const LaneProgram&, const LaneObservables&, const std::vector<std::uint8_t>&,      \
                                  std::int64_t, const double*, std::int64_t, int, double*, double*);                \
  template void sweep_lanes<T>(const LaneProgram&, const std::complex<T>*, const std::complex<T>*,                  \
                               const std::vector<std::uint8_t>&, std::int64_t, std::int64_t, const double*,         \
                               std::int64_t, int, double*);
QSIM_INSTANTIATE(float)
QSIM_INSTANTIATE(double)
#undef QSIM_INSTANTIATE

}  // namespace qsim
