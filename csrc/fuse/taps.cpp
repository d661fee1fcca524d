#include "taps.hpp"

#include "../execute/bits.hpp"
#include "../execute/plan.hpp"

namespace qsim {
namespace {

constexpr int kMaxTapTargets = 2;    // of a matrix
constexpr int kMaxTapStrings = 64;  // 4 for each target, times 2 for each control

/// E[row, column] of a matrix on few qubits, by the pattern of its instruction.
void dense_entries(const Tape& tape, const Instruction& op, double angle, Complex* matrix) {
  const std::size_t dim = std::size_t{1} << op.num_targets;
  std::fill(matrix, matrix + dim * dim, Complex(0));
  if (Pattern(op.pattern) == Pattern::kPermutation) {
    const std::int32_t* const sources = tape.targets(op) + op.num_targets;
    for (std::size_t j = 0; j < dim; ++j) matrix[j * dim + std::size_t(sources[j])] = tape.constants[op.data + std::int64_t(j)];
    return;
  }
  Complex scratch[1 << (2 * kMaxTapTargets)];
  const Complex* const entries = evaluate_entries(tape, op, angle, scratch);
  if (Pattern(op.pattern) == Pattern::kDense) {
    std::copy(entries, entries + dim * dim, matrix);
  } else {
    for (std::size_t j = 0; j < dim; ++j) matrix[j * dim + j] = entries[j];
  }
}

/// Strings of a matrix on `targets`.
std::vector<TapString> matrix_strings(const Complex* matrix, const std::int32_t* targets, int num_targets) {
  const std::uint64_t dim = std::uint64_t{1} << num_targets;
  const auto place = [&](std::uint64_t bits) {
    std::uint64_t mask = 0;
    for (int k = 0; k < num_targets; ++k) mask |= ((bits >> k) & 1) << targets[k];
    return mask;
  };
  std::vector<TapString> out;
  for (std::uint64_t x = 0; x < dim; ++x)
    for (std::uint64_t z = 0; z < dim; ++z) {  // P|j> = i^|x & z| (-1)^(j & z) |j ^ x>
      Complex sum = 0;
      for (std::uint64_t j = 0; j < dim; ++j) sum += (parity(j & z) ? -1.0 : 1.0) * matrix[(j ^ x) * dim + j];
      const Complex units[4] = {{0, 1}, {1, 0}, {0, -1}, {-1, 0}};  // i * (-i)^|x & z|
      const Complex r = units[popcount(x & z) & 3] * sum / double(dim);
      out.push_back({place(x), place(z), r.real(), r.imag()});
    }
  return out;
}

/// The same where controls match, and zero elsewhere.
std::vector<TapString> controlled(std::vector<TapString> strings, const Instruction& op) {
  for (std::uint64_t rest = op.ctrl_mask; rest != 0; rest &= rest - 1) {
    const std::uint64_t bit = rest & -rest;
    const double sign = (op.ctrl_value & bit) ? -1 : 1;
    const std::size_t count = strings.size();
    for (std::size_t s = 0; s < count; ++s) {
      strings[s].coefficient /= 2;
      strings[s].hermitian /= 2;
      strings.push_back({strings[s].x, strings[s].z ^ bit, sign * strings[s].coefficient, sign * strings[s].hermitian});
    }
  }
  return strings;
}

}  // namespace

bool has_strings(const Tape&, const Instruction& op) {
  const int num_controls = popcount(op.ctrl_mask);
  if (num_controls > 6) return false;
  if (Pattern(op.pattern) == Pattern::kPauliRotation) return op.slot < 0;
  return op.num_targets <= kMaxTapTargets && (1 << (2 * op.num_targets + num_controls)) <= kMaxTapStrings;
}

std::vector<TapString> tap_strings(const Tape& tape, const NormalForm& form, const Tap& tap, const Rotation* rotations,
                                   const double* angles) {
  const Instruction& op = tape.instructions[tap.instruction];
  if (tap.word >= 0) {
    const Word& word = form.words[tap.word];
    Complex e[4], p[4];
    instruction_matrix(tape, op, angle_of(op, angles), e);
    word_start_matrix(tape, form, word, tap.position, angles, p);
    Complex there[4] = {};  // p^dagger e p
    for (int a = 0; a < 2; ++a)
      for (int b = 0; b < 2; ++b)
        for (int c = 0; c < 2; ++c)
          for (int d = 0; d < 2; ++d) there[2 * a + d] += std::conj(p[2 * b + a]) * e[2 * b + c] * p[2 * c + d];
    const Complex front = rotations[tap.word].front;
    there[1] *= std::conj(front);
    there[2] *= front;
    const std::int32_t qubit = word.qubit;
    return matrix_strings(there, &qubit, 1);
  }
  if (Pattern(op.pattern) == Pattern::kPauliRotation)  // by pi: -i P, but for rounding
    return controlled({{op.x_mask, op.z_mask, std::sin(op.shift / 2)}}, op);
  Complex matrix[1 << (2 * kMaxTapTargets)];
  dense_entries(tape, op, angle_of(op, angles), matrix);
  return controlled(matrix_strings(matrix, tape.targets(op), op.num_targets), op);
}

}  // namespace qsim
