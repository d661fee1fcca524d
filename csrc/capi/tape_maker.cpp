#include "tape_maker.hpp"

#include <algorithm>
#include <unordered_map>

#include "../execute/bits.hpp"

namespace qsim::capi {
namespace {

constexpr double kPi = 3.14159265358979323846;

/// The constants of a form behind those that are there.
std::int64_t append_form(const Form& form, std::vector<Complex>& constants) {
  const std::size_t first = constants.size();
  constants.resize(first + std::size_t(form.length));
  for (int k = form.first_entry; k < form.last_entry; ++k)
    constants[first + std::size_t(entry(k).place)] = {entry(k).real, entry(k).imag};
  return std::int64_t(first);
}

Instruction instruction_of(Pattern pattern, std::size_t num_targets, Controls controls) {
  Instruction op{};
  op.pattern = std::uint8_t(pattern);
  op.num_targets = std::uint8_t(num_targets);
  op.slot = -1;
  op.ctrl_mask = controls.mask;
  op.ctrl_value = controls.value;
  return op;
}

/// Consecutive instructions that share a pass over the state, as qsim/program/schedule.py cuts them.
std::vector<Segment> plan_segments(const std::vector<Instruction>& instructions,
                                   const std::vector<std::int32_t>& integers) {
  constexpr std::uint64_t low = (std::uint64_t{1} << kTileLowBits) - 1;
  std::vector<Segment> segments;
  std::int64_t start = 0;
  std::uint64_t mask = 0;
  const auto close = [&](std::int64_t stop) {
    if (start < stop) segments.push_back({start, stop, mask, 0, {}});
    start = stop;
    mask = 0;
  };
  for (std::int64_t i = 0; i < std::int64_t(instructions.size()); ++i) {
    const Instruction& op = instructions[std::size_t(i)];
    std::uint64_t needed = 0;
    if (op.pattern == std::uint8_t(Pattern::kPauliRotation)) needed = op.x_mask;
    if (op.pattern == std::uint8_t(Pattern::kDense) || op.pattern == std::uint8_t(Pattern::kPermutation))
      for (int k = 0; k < op.num_targets; ++k) needed |= std::uint64_t{1} << integers[std::size_t(op.targets + k)];
    if (popcount(needed & ~low) > kTileActiveBits) {
      close(i);
      segments.push_back({i, i + 1, needed, 1, {}});
      start = i + 1;
      continue;
    }
    if (popcount((mask | needed) & ~low) > kTileActiveBits) close(i);
    mask |= needed;
  }
  close(std::int64_t(instructions.size()));
  return segments;
}

std::unique_ptr<Tape> make_tape(int num_qubits, int num_params, std::vector<Instruction> instructions,
                                std::vector<std::int32_t> integers, std::vector<Complex> constants) {
  auto segments = plan_segments(instructions, integers);
  return std::make_unique<Tape>(num_qubits, num_params, std::move(instructions), std::move(integers),
                                std::move(constants), std::move(segments), Fusion{true});
}

}  // namespace

std::int64_t TapeMaker::constants_of(int number) {
  if (places_of_forms_.empty()) places_of_forms_.assign(std::size_t(num_forms()), -1);
  std::int64_t& place = places_of_forms_[std::size_t(number)];
  if (place < 0) place = append_form(form(number), constants_);
  return place;
}

void TapeMaker::emit(Instruction op, const std::int32_t* targets, const std::int32_t* sources, int generator) {
  if (integers_.size() > std::size_t(INT32_MAX) / 2) throw std::bad_alloc();
  op.targets = std::int32_t(integers_.size());
  if (op.num_targets > 0) integers_.insert(integers_.end(), targets, targets + op.num_targets);
  if (sources != nullptr) integers_.insert(integers_.end(), sources, sources + (std::size_t{1} << op.num_targets));
  instructions_.push_back(op);
  generators_.push_back(generator);
}

void TapeMaker::add(const Gate& gate, const Angle* angles, const std::int32_t* qubits, Controls controls) {
  const auto moved = [qubits](std::uint32_t mask) {
    std::uint64_t out = 0;
    for (int k = 0; mask >> k != 0; ++k)
      if (mask >> k & 1) out |= std::uint64_t{1} << qubits[k];
    return out;
  };
  for (int number = gate.first_part; number < gate.last_part; ++number) {
    const Part& p = part(number);
    const Form& f = form(p.form);
    const std::uint64_t own = moved(p.controls);
    Instruction op = instruction_of(Pattern(f.pattern), std::size_t(f.num_targets),
                                    {controls.mask | own, controls.value | own});
    op.num_terms = std::uint16_t(f.num_terms);
    op.shift = p.shift;
    if (p.param >= 0) {
      const Angle& angle = angles[p.param];
      op.slot = angle.param;
      op.scale = angle.param < 0 ? 0.0 : p.scale * angle.scale;
      op.shift += p.scale * angle.shift;
    }
    if (f.pattern == std::int32_t(Pattern::kPauliRotation)) {
      op.x_mask = moved(p.x_mask);
      op.z_mask = moved(p.z_mask);
      emit(op, nullptr, nullptr, -1);
      continue;
    }
    op.data = constants_of(p.form);
    std::int32_t targets[8];
    for (int k = 0; k < f.num_targets; ++k) targets[k] = qubits[places(p.first_place)[k]];
    const bool permutes = f.pattern == std::int32_t(Pattern::kPermutation);
    emit(op, targets, permutes ? sources(f.first_source) : nullptr, p.generator);
  }
}

void TapeMaker::add_matrix(const std::vector<Complex>& entries, const std::vector<std::int32_t>& qubits,
                           Controls controls) {
  const std::size_t k = qubits.size(), dim = std::size_t{1} << k;
  const bool is_diagonal_list = entries.size() == dim && k > 0;
  std::vector<Complex> diagonal, phases;
  std::vector<std::int32_t> sources;
  bool diagonal_only = true, permutes = !is_diagonal_list;
  if (is_diagonal_list) {
    diagonal = entries;
  } else {
    std::vector<bool> seen(dim);
    for (std::size_t i = 0; i < dim; ++i) {
      std::size_t nonzeros = 0, source = 0;
      for (std::size_t j = 0; j < dim; ++j) {
        if (entries[i * dim + j] == Complex{}) continue;
        ++nonzeros;
        source = j;
        diagonal_only = diagonal_only && i == j;
      }
      diagonal.push_back(entries[i * dim + i]);
      permutes = permutes && nonzeros == 1 && !seen[source];
      seen[source] = true;
      sources.push_back(std::int32_t(source));
      phases.push_back(entries[i * dim + source]);
    }
  }
  if (diagonal_only && std::all_of(diagonal.begin(), diagonal.end(), [](Complex d) { return d == 1.0; })) return;
  const Pattern pattern = diagonal_only ? Pattern::kDiagonal : permutes ? Pattern::kPermutation : Pattern::kDense;
  const std::vector<Complex>& data = diagonal_only ? diagonal : permutes ? phases : entries;
  Instruction op = instruction_of(pattern, k, controls);
  op.data = std::int64_t(constants_.size());
  constants_.insert(constants_.end(), data.begin(), data.end());
  emit(op, qubits.data(), pattern == Pattern::kPermutation ? sources.data() : nullptr, -1);
}

void TapeMaker::add_rotation(std::uint64_t x_mask, std::uint64_t z_mask, Angle angle, Controls controls) {
  Instruction op = instruction_of(Pattern::kPauliRotation, 0, controls);
  op.x_mask = x_mask;
  op.z_mask = z_mask;
  op.slot = angle.param;
  op.scale = angle.param < 0 ? 0.0 : angle.scale;
  op.shift = angle.shift;
  emit(op, nullptr, nullptr, -1);
}

std::unique_ptr<Tape> TapeMaker::tape(int num_qubits, int num_params) const {
  return make_tape(num_qubits, num_params, instructions_, integers_, constants_);
}

std::vector<Complex> TapeMaker::inverse_entries(const Instruction& op) const {
  const std::size_t dim = std::size_t{1} << op.num_targets;
  const Complex* const data = constants_.data() + op.data;
  std::vector<Complex> out;
  if (op.pattern == std::uint8_t(Pattern::kPermutation)) {
    const std::int32_t* const sources = integers_.data() + op.targets + op.num_targets;
    out.resize(dim);
    for (std::size_t i = 0; i < dim; ++i) out[std::size_t(sources[i])] = std::conj(data[i]);
    return out;
  }
  const bool dense = op.pattern == std::uint8_t(Pattern::kDense);
  const std::size_t rows = dense ? dim : 1, size = rows * dim;
  const auto append_adjoint = [&](const Complex* entries) {
    for (std::size_t i = 0; i < dim; ++i)
      for (std::size_t j = 0; j < rows; ++j) out.push_back(std::conj(dense ? entries[j * dim + i] : entries[i]));
  };
  append_adjoint(data);
  const Complex* position = data + size;
  for (int term = 0; term < op.num_terms; ++term, position += 1 + 2 * size) {
    out.push_back(position[0]);
    append_adjoint(position + 1);
    append_adjoint(position + 1 + size);
  }
  return out;
}

void TapeMaker::add_inverse(const Instruction& original, Pools& out, std::vector<std::int64_t>& known) const {
  Instruction op = original;
  const std::int32_t* const targets = integers_.data() + original.targets;
  op.targets = std::int32_t(out.integers.size());
  out.integers.insert(out.integers.end(), targets, targets + op.num_targets);
  if (op.pattern == std::uint8_t(Pattern::kPauliRotation)) {
    op.scale = -op.scale;
    op.shift = -op.shift;
  } else {
    std::int64_t& place = known[std::size_t(original.data)];
    // the sources of a permutation are not shared as its phases are
    const bool permutes = op.pattern == std::uint8_t(Pattern::kPermutation);
    if (place < 0 || permutes) {
      const std::vector<Complex> entries = inverse_entries(original);
      place = std::int64_t(out.constants.size());
      out.constants.insert(out.constants.end(), entries.begin(), entries.end());
    }
    op.data = place;
    if (permutes) {
      const std::size_t dim = std::size_t{1} << op.num_targets, first = out.integers.size();
      const std::int32_t* const sources = targets + op.num_targets;
      out.integers.resize(first + dim);
      for (std::size_t i = 0; i < dim; ++i) out.integers[first + std::size_t(sources[i])] = std::int32_t(i);
    }
  }
  out.instructions.push_back(op);
}

void TapeMaker::add_generator(std::size_t number, Pools& out, std::vector<std::int64_t>& known) const {
  const Instruction& original = instructions_[number];
  Instruction op = original;
  if (op.pattern == std::uint8_t(Pattern::kPauliRotation)) {  // -i P / 2, and -i P is the rotation by pi
    op.slot = -1;
    op.scale = 0.0;
    op.shift = kPi;
    op.targets = 0;
    out.instructions.push_back(op);
    return;
  }
  const int made = generators_[number];
  const Form& f = form(made);
  std::int64_t& place = known[std::size_t(made)];
  if (place < 0) place = append_form(f, out.constants);
  op.pattern = std::uint8_t(f.pattern);
  op.num_terms = std::uint16_t(f.num_terms);
  op.data = place;
  if (f.num_terms == 0) {
    op.slot = -1;
    op.scale = op.shift = 0.0;
  }
  const std::int32_t* const targets = integers_.data() + original.targets;
  op.targets = std::int32_t(out.integers.size());
  out.integers.insert(out.integers.end(), targets, targets + op.num_targets);
  if (f.pattern == std::int32_t(Pattern::kPermutation)) {
    const std::int32_t* const from = sources(f.first_source);
    out.integers.insert(out.integers.end(), from, from + (std::size_t{1} << op.num_targets));
  }
  out.instructions.push_back(op);
}

std::unique_ptr<Tape> TapeMaker::reverse_tape(int num_qubits, int num_params, Reverse& what) const {
  Pools out;
  std::vector<std::int64_t> inverses(constants_.size(), -1), generators(std::size_t(num_forms()), -1);
  std::size_t last_generator = 0;
  for (std::size_t i = instructions_.size(); i-- > 0;) {
    const Instruction& op = instructions_[i];
    const bool rotates = op.pattern == std::uint8_t(Pattern::kPauliRotation);
    if (op.slot >= 0) {
      add_generator(i, out, generators);
      what.slots.push_back(op.slot);
      what.weights.push_back(rotates ? op.scale / 2 : op.scale);
      last_generator = out.instructions.size();
    }
    add_inverse(op, out, inverses);
    what.slots.push_back(-1);
    what.weights.push_back(0.0);
  }
  out.instructions.resize(last_generator);  // nothing reads the states behind the last
  what.slots.resize(last_generator);
  what.weights.resize(last_generator);
  return make_tape(num_qubits, num_params, std::move(out.instructions), std::move(out.integers),
                   std::move(out.constants));
}

}  // namespace qsim::capi
