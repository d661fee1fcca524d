#include "normal_form.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "../execute/bits.hpp"
#include "../execute/plan.hpp"
#include "../execute/threads.hpp"
#include "taps.hpp"

namespace qsim {
namespace {

constexpr double kDust = 0x1p-52;        // entries below it are rounding of the gate's own matrix
constexpr double kUnitTolerance = 1e-13;  // fused and unfused runs must agree to 1e-12
constexpr int kMaxTerms = 64;             // of a one- or two-qubit matrix: more are left as they are
constexpr int kMaxMerged = 3;             // qubits of a constant matrix that takes others along

bool is_unit(Complex z) { return std::abs(std::norm(z) - 1) < kUnitTolerance; }

bool is_constant(const Instruction& instruction) {
  return instruction.slot < 0 || (instruction.num_terms == 0 && Pattern(instruction.pattern) != Pattern::kPauliRotation);
}

bool is_unitary(const Complex* m) {
  return std::abs(std::norm(m[0]) + std::norm(m[2]) - 1) < kUnitTolerance &&
         std::abs(std::norm(m[1]) + std::norm(m[3]) - 1) < kUnitTolerance &&
         std::norm(std::conj(m[0]) * m[1] + std::conj(m[2]) * m[3]) < kUnitTolerance * kUnitTolerance;
}

/// The one qubit of an uncontrolled instruction that acts on one; else -1.
int only_qubit(const Tape& tape, const Instruction& op) {
  if (op.ctrl_mask != 0) return -1;
  if (Pattern(op.pattern) == Pattern::kPauliRotation) {
    const std::uint64_t mask = op.x_mask | op.z_mask;
    return popcount(mask) == 1 ? log2_of(mask) : -1;
  }
  if (Pattern(op.pattern) == Pattern::kPrepare || op.num_targets != 1) return -1;
  return tape.targets(op)[0];
}

/// True if the matrix of a one-qubit instruction is diagonal (real) whatever its angle.
template <class Test>
bool all_matrices(const Tape& tape, const Instruction& op, const Test& test) {
  if (is_constant(op)) {
    Complex m[4];
    instruction_matrix(tape, op, op.shift, m);
    return test(m);
  }
  if (Pattern(op.pattern) == Pattern::kPauliRotation) {
    Complex m[4];
    instruction_matrix(tape, op, 1.0, m);  // any angle that is no multiple of pi shows the structure
    return test(m);
  }
  const bool dense = Pattern(op.pattern) == Pattern::kDense;
  const int size = dense ? 4 : 2;
  const Complex* data = tape.constants.data() + op.data;
  for (int piece = 0; piece <= 2 * op.num_terms; ++piece) {
    if (piece % 2 == 1) ++data;  // the frequency
    Complex m[4] = {data[0], 0, 0, data[1]};
    if (dense) std::copy(data, data + 4, m);
    if (!test(m)) return false;
    data += size;
  }
  return true;
}

/// Product of one-qubit instructions, the first to act on the right.
void run_matrix(const Tape& tape, const std::int32_t* numbers, std::size_t count, const double* angles, Complex* matrix) {
  if (count == 0) {
    matrix[0] = matrix[3] = 1;
    matrix[1] = matrix[2] = 0;
  }
  for (std::size_t i = 0; i < count; ++i) {
    const Instruction& op = tape.instructions[numbers[i]];
    Complex m[4];
    instruction_matrix(tape, op, angle_of(op, angles), m);
    if (i == 0) {
      std::copy(m, m + 4, matrix);
      continue;
    }
    const Complex old[4] = {matrix[0], matrix[1], matrix[2], matrix[3]};
    for (int row = 0; row < 2; ++row)
      for (int column = 0; column < 2; ++column)
        matrix[2 * row + column] = m[2 * row] * old[column] + m[2 * row + 1] * old[2 + column];
  }
}

bool is_diagonal(const Complex* m) { return m[1] == 0.0 && m[2] == 0.0; }
bool is_real(const Complex* m) {
  return m[0].imag() == 0 && m[1].imag() == 0 && m[2].imag() == 0 && m[3].imag() == 0;
}

class Normalizer {
 public:
  Normalizer(const Tape& tape, bool from_zero, const std::vector<std::int32_t>* slots)
      : tape_(tape), slots_(slots), from_zero_(from_zero), n_(tape.num_qubits) {
    wires_.resize(n_);
    for (int q = 0; q < n_; ++q) wires_[q] = q;
    open_.resize(n_);
    last_.assign(n_, -1);
    form_.generic_constants = tape.constants;
  }

  NormalForm make() {
    for (std::size_t i = 0; i < tape_.instructions.size(); ++i) {
      add(std::int32_t(i), tape_.instructions[i]);
      checkpoint();
    }
    for (int wire = 0; wire < n_; ++wire) close(wire);
    form_.nodes.erase(std::remove_if(form_.nodes.begin(), form_.nodes.end(), [](const Node& n) { return n.index < 0; }),
                      form_.nodes.end());
    rename();
    return std::move(form_);
  }

 private:
  bool is_tap(std::int32_t number) const { return slots_ != nullptr && (*slots_)[std::size_t(number)] >= 0; }

  void add(std::int32_t number, const Instruction& op) {
    if (is_tap(number)) return add_tap(number, op);
    const int qubit = only_qubit(tape_, op);
    if (qubit >= 0 && op.num_terms <= kMaxTerms && keeps_norm(op)) {
      open_[wires_[qubit]].push_back(number);
      return;
    }
    if (Pattern(op.pattern) == Pattern::kDiagonal || (Pattern(op.pattern) == Pattern::kPauliRotation && op.x_mask == 0)) {
      if (add_factor(number, op)) return;
    } else if (op.ctrl_mask == 0 && op.num_targets == 2 && add_monomial(op)) {
      return;
    }
    add_generic(op);
  }

  /// What passes a tap must be unitary. What is not, of a dual tape, acts on the dual qubit, as all its taps do.
  void add_tap(std::int32_t number, const Instruction& op) {
    const int qubit = only_qubit(tape_, op);
    if (!has_strings(tape_, op)) {
      form_.has_all_taps = false;
    } else if (qubit >= 0) {
      open_[wires_[qubit]].push_back(number);
    } else {
      std::uint64_t targets = op.x_mask | op.z_mask;
      for (int i = 0; i < op.num_targets; ++i) targets |= std::uint64_t{1} << tape_.targets(op)[i];
      std::uint64_t active = targets;
      if (Pattern(op.pattern) == Pattern::kDiagonal) active = 0;
      if (Pattern(op.pattern) == Pattern::kPauliRotation) active = op.x_mask;
      push_tap(number, active, (targets | op.ctrl_mask) & ~active);
    }
  }

  /// A tap that is no part of a word. Wires are qubits: from_zero_ is false.
  void push_tap(std::int32_t number, std::uint64_t active, std::uint64_t diagonal) {
    const std::int32_t index = std::int32_t(form_.taps.size());
    form_.taps.push_back({number, -1, 0});
    if (active == 0 && popcount(diagonal) <= 2) {
      Factor factor{};
      factor.source = Factor::Source::kTap;
      factor.index = index;
      factor.qubits[0] = factor.qubits[1] = -1;
      for (int k = 0; diagonal != 0; diagonal &= diagonal - 1) factor.qubits[k++] = std::int8_t(__builtin_ctzll(diagonal));
      return push_factor(factor);
    }
    for (std::uint64_t rest = active | diagonal; rest != 0; rest &= rest - 1) close(__builtin_ctzll(rest));
    push_node(Node{Node::Kind::kTap, index, active, diagonal});
  }

  /// What depends on angles is looked at for one of them now, and checked at each binding.
  bool keeps_norm(const Instruction& op) const {
    Complex m[4];
    instruction_matrix(tape_, op, is_constant(op) ? op.shift : 1.0, m);
    return is_unitary(m);
  }

  /// A diagonal on at most two qubits, controls included.
  bool add_factor(std::int32_t number, const Instruction& op) {
    std::uint64_t mask = op.ctrl_mask;
    const bool rotation = Pattern(op.pattern) == Pattern::kPauliRotation;
    if (rotation) mask |= op.z_mask;
    for (int i = 0; i < op.num_targets; ++i) mask |= std::uint64_t{1} << tape_.targets(op)[i];
    if (popcount(mask) > 2 || op.num_terms > kMaxTerms) return false;
    Factor factor{};
    factor.source = is_constant(op) ? Factor::Source::kConstant : Factor::Source::kInstruction;
    factor.index = number;
    int qubits[2] = {-1, -1}, count = 0;
    for (std::uint64_t rest = mask; rest != 0; rest &= rest - 1) qubits[count++] = __builtin_ctzll(rest);
    for (int bits = 0; bits < 4; ++bits) {
      std::uint64_t index = 0;
      for (int k = 0; k < count; ++k) index |= std::uint64_t((bits >> k) & 1) << qubits[k];
      if ((index & op.ctrl_mask) != op.ctrl_value) {
        factor.entries[bits] = -1;
      } else if (rotation) {
        factor.entries[bits] = std::int8_t(parity(index & op.z_mask));
      } else {
        int entry = 0;
        for (int i = 0; i < op.num_targets; ++i) entry |= int((index >> tape_.targets(op)[i]) & 1) << i;
        factor.entries[bits] = std::int8_t(entry);
      }
    }
    if (factor.source == Factor::Source::kConstant) {
      Factor as_instruction = factor;
      as_instruction.source = Factor::Source::kInstruction;
      if (!factor_values(tape_, as_instruction, nullptr, factor.values)) return false;
    }
    for (int k = 0; k < 2; ++k) factor.qubits[k] = qubits[k] < 0 ? std::int8_t(-1) : std::int8_t(wires_[qubits[k]]);
    push_factor(factor);
    return true;
  }

  /// A constant two-qubit matrix with one entry in each row: flips, an exchange of the two qubits, and phases.
  bool add_monomial(const Instruction& op) {
    int sources[4];
    Complex phases[4];
    if (Pattern(op.pattern) == Pattern::kPermutation) {
      for (int j = 0; j < 4; ++j) {
        sources[j] = tape_.targets(op)[2 + j];
        phases[j] = tape_.constants[op.data + j];
      }
    } else if (Pattern(op.pattern) == Pattern::kDense && op.num_terms == 0) {
      const Complex* entries = tape_.constants.data() + op.data;
      bool used[4] = {};
      for (int row = 0; row < 4; ++row) {
        int found = 0;
        for (int column = 0; column < 4; ++column)
          if (std::abs(entries[4 * row + column]) > kDust) {
            sources[row] = column;
            ++found;
          }
        if (found != 1 || used[sources[row]]) return false;
        used[sources[row]] = true;
        phases[row] = entries[4 * row + sources[row]];
      }
    } else {
      return false;
    }
    for (const Complex& phase : phases)
      if (!is_unit(phase)) return false;
    const int flips = sources[0];
    const auto exchange = [](int j) { return ((j & 1) << 1) | (j >> 1); };
    bool keeps = true, exchanges = true;
    for (int j = 0; j < 4; ++j) {
      keeps &= sources[j] == (j ^ flips);
      exchanges &= sources[j] == (exchange(j) ^ flips);
    }
    if (flips != 0 || !(keeps || (exchanges && from_zero_))) return false;
    const std::int32_t* targets = tape_.targets(op);
    if (!keeps) std::swap(wires_[targets[0]], wires_[targets[1]]);
    Factor factor{};
    factor.source = Factor::Source::kConstant;
    for (int k = 0; k < 2; ++k) factor.qubits[k] = std::int8_t(wires_[targets[k]]);
    std::copy(phases, phases + 4, factor.values);
    push_factor(factor);
    return true;
  }

  void push_factor(Factor factor) {
    if (factor.source == Factor::Source::kConstant) {
      const Complex* v = factor.values;
      if (v[0] == 1.0 && v[1] == 1.0 && v[2] == 1.0 && v[3] == 1.0) return;
    }
    std::uint64_t mask = 0;
    for (const std::int8_t q : factor.qubits)
      if (q >= 0) mask |= std::uint64_t{1} << q;
    // One-qubit phases commute with whatever is diagonal, but not with the run that is still open.
    for (std::uint64_t rest = mask; rest != 0; rest &= rest - 1) close(__builtin_ctzll(rest));
    push_node(Node{Node::Kind::kPhase, std::int32_t(form_.factors.size()), 0, mask});
    form_.factors.push_back(factor);
  }

  void push_node(const Node& node) {
    for (std::uint64_t rest = node.active | node.diagonal; rest != 0; rest &= rest - 1)
      last_[__builtin_ctzll(rest)] = std::int32_t(form_.nodes.size());
    form_.nodes.push_back(node);
  }

  void add_generic(const Instruction& op) {
    Instruction moved = op;
    const bool merges = is_mergeable(tape_.constants, op);
    if (merges) take_runs(moved);
    moved.ctrl_mask = move_mask(op.ctrl_mask);
    moved.ctrl_value = move_mask(op.ctrl_value);
    moved.x_mask = move_mask(op.x_mask);
    moved.z_mask = move_mask(op.z_mask);
    moved.targets = std::int32_t(form_.generic_integers.size());
    const std::int32_t* targets = tape_.targets(op);
    std::uint64_t mask = 0;
    for (int i = 0; i < op.num_targets; ++i) {
      form_.generic_integers.push_back(wires_[targets[i]]);
      mask |= std::uint64_t{1} << wires_[targets[i]];
    }
    if (Pattern(op.pattern) == Pattern::kPermutation)
      form_.generic_integers.insert(form_.generic_integers.end(), targets + op.num_targets,
                                    targets + op.num_targets + (std::int64_t{1} << op.num_targets));
    Node node{Node::Kind::kGeneric, std::int32_t(form_.generic.size()), 0, moved.ctrl_mask};
    switch (Pattern(op.pattern)) {
      case Pattern::kDiagonal: node.diagonal |= mask; break;
      case Pattern::kPauliRotation:
        node.active = moved.x_mask;
        node.diagonal |= moved.z_mask & ~moved.x_mask;
        break;
      case Pattern::kPrepare: node.kind = Node::Kind::kWhole; [[fallthrough]];
      default: node.active = mask;
    }
    const std::uint64_t all = node.active | node.diagonal;
    for (std::uint64_t rest = all; rest != 0; rest &= rest - 1) close(__builtin_ctzll(rest));
    if (undoes_last(moved, node) || (merges && joins_last(moved, node))) return;
    push_node(node);
    form_.generic.push_back(moved);
  }

  /// A constant matrix on few qubits, of no entry above one: its products neither overflow nor lose digits.
  static bool is_mergeable(const std::vector<Complex>& constants, const Instruction& op) {
    if (Pattern(op.pattern) != Pattern::kDense || op.num_terms != 0 || op.ctrl_mask != 0 || op.num_targets > kMaxMerged)
      return false;
    const Complex* const entries = &constants[op.data];
    return std::all_of(entries, entries + (std::size_t{1} << 2 * op.num_targets),
                       [](const Complex& z) { return std::abs(z) <= 1 + kUnitTolerance; });
  }

  /// A constant matrix is multiplied by the constant one-qubit gates that wait on its targets.
  void take_runs(Instruction& op) {
    const std::size_t dim = std::size_t{1} << op.num_targets;
    std::vector<Complex> matrix;
    for (int k = 0; k < op.num_targets; ++k) {
      std::vector<std::int32_t>& run = open_[wires_[tape_.targets(op)[k]]];
      const auto constant = [&](std::int32_t number) { return !is_tap(number) && is_constant(tape_.instructions[number]); };
      if (run.empty() || !std::all_of(run.begin(), run.end(), constant)) continue;
      if (matrix.empty()) matrix.assign(&tape_.constants[op.data], &tape_.constants[op.data] + dim * dim);
      Complex gate[4];
      run_matrix(tape_, run.data(), run.size(), nullptr, gate);
      run.clear();
      const std::size_t bit = std::size_t{1} << k;
      for (std::size_t row = 0; row < dim; ++row)
        for (std::size_t column = 0; column < dim; ++column) {
          if (column & bit) continue;
          Complex &a = matrix[row * dim + column], &b = matrix[row * dim + (column | bit)];
          const Complex old = a;
          a = old * gate[0] + b * gate[2];
          b = old * gate[1] + b * gate[3];
        }
    }
    if (!matrix.empty()) op.data = keep(matrix);
  }

  std::int64_t keep(const std::vector<Complex>& entries) {
    std::vector<Complex>& all = form_.generic_constants;
    all.insert(all.end(), entries.begin(), entries.end());
    return std::int64_t(all.size() - entries.size());
  }

  /// The instruction right before one on the same qubits, if nothing stands between them on any; else null.
  Node* node_before(const Node& node) {
    const std::uint64_t all = node.active | node.diagonal;
    const std::int32_t before = last_[__builtin_ctzll(all)];
    for (std::uint64_t rest = all; rest != 0; rest &= rest - 1)
      if (last_[__builtin_ctzll(rest)] != before) return nullptr;
    if (before < 0) return nullptr;
    Node& other = form_.nodes[before];
    if (other.kind != Node::Kind::kGeneric || other.index < 0 || other.active != node.active ||
        other.diagonal != node.diagonal)
      return nullptr;
    return &other;
  }

  /// Two constant matrices on the same qubits become one; none if they undo each other.
  bool joins_last(const Instruction& op, const Node& node) {
    Node* const other = node_before(node);
    if (other == nullptr) return false;
    Instruction& old = form_.generic[other->index];
    if (old.num_targets != op.num_targets || !is_mergeable(form_.generic_constants, old)) return false;
    const std::size_t dim = std::size_t{1} << op.num_targets;
    const std::int32_t* const targets = form_.generic_integers.data() + op.targets;
    const std::int32_t* const old_targets = form_.generic_integers.data() + old.targets;
    std::vector<std::size_t> place(dim);  // in the old matrix
    for (std::size_t j = 0; j < dim; ++j)
      for (int k = 0; k < op.num_targets; ++k)
        if ((j >> k) & 1) place[j] |= std::size_t{1} << (std::find(old_targets, old_targets + op.num_targets, targets[k]) - old_targets);
    const Complex *const a = &form_.generic_constants[op.data], *const b = &form_.generic_constants[old.data];
    std::vector<Complex> product(dim * dim);  // in the order of the old targets
    bool is_identity = true;
    for (std::size_t row = 0; row < dim; ++row)
      for (std::size_t column = 0; column < dim; ++column) {
        Complex sum = 0;
        for (std::size_t j = 0; j < dim; ++j) sum += a[row * dim + j] * b[place[j] * dim + place[column]];
        product[place[row] * dim + place[column]] = sum;
        is_identity &= std::abs(sum - Complex(row == column)) <= 4 * kDust;
      }
    if (is_identity)
      other->index = -1;  // left out at the end; its place in `last_` stays a place that equals nothing
    else if (old.data >= std::int64_t(tape_.constants.size()))
      std::copy(product.begin(), product.end(), form_.generic_constants.begin() + old.data);
    else
      old.data = keep(product);
    return true;
  }

  /// Two equal exchanges (X, CX, SWAP and the like) one after the other vanish.
  bool undoes_last(const Instruction& op, const Node& node) {
    if (Pattern(op.pattern) != Pattern::kPermutation) return false;
    Node* const before = node_before(node);
    if (before == nullptr) return false;
    Node& other = *before;
    const Instruction& old = form_.generic[other.index];
    if (old.pattern != op.pattern || old.num_targets != op.num_targets || old.ctrl_mask != op.ctrl_mask ||
        old.ctrl_value != op.ctrl_value || old.data != op.data)
      return false;
    const std::int32_t* a = form_.generic_integers.data() + old.targets;
    const std::int32_t* b = form_.generic_integers.data() + op.targets;
    const int k = op.num_targets;
    if (!std::equal(a, a + k, b)) return false;
    for (std::int32_t j = 0; j < (1 << k); ++j)
      if (a[k + j] != b[k + j] || b[k + b[k + j]] != j || tape_.constants[op.data + j] != 1.0) return false;
    other.index = -1;  // left out at the end; its place in `last_` stays a place that equals nothing
    return true;
  }

  /// Ends the run of one-qubit gates on a wire: phases before, a rotation, phases after.
  void close(int wire) {
    std::vector<std::int32_t> run = std::move(open_[wire]);
    open_[wire].clear();
    if (run.empty()) return;
    const auto diagonal = [&](std::int32_t number) {
      return all_matrices(tape_, tape_.instructions[number], is_diagonal);
    };
    std::size_t first = 0, last = run.size();
    while (first < last && diagonal(run[first])) push_phase(run[first++], wire);
    while (last > first && diagonal(run[last - 1])) --last;
    if (first < last) push_word(run, first, last, wire);
    for (; last < run.size(); ++last) push_phase(run[last], wire);
  }

  void push_word(const std::vector<std::int32_t>& run, std::size_t first, std::size_t last, int wire) {
    Word word{std::int32_t(form_.word_instructions.size()), std::int32_t(last - first), std::int8_t(wire), true, true};
    const std::int32_t index = std::int32_t(form_.words.size());
    const std::size_t num_taps = form_.taps.size();
    word.count = 0;
    for (std::size_t i = first; i < last; ++i) {
      if (is_tap(run[i])) {
        form_.taps.push_back({run[i], index, word.count});
        continue;
      }
      ++word.count;
      const Instruction& op = tape_.instructions[run[i]];
      word.is_real &= all_matrices(tape_, op, is_real);
      word.constant &= is_constant(op);
      form_.word_instructions.push_back(run[i]);
    }
    const std::uint64_t mask = std::uint64_t{1} << wire;
    if (word.constant && word.count > 1 && num_taps == form_.taps.size()) {
      Complex m[4];
      word_matrix(tape_, form_, word, nullptr, m);
      if (std::abs(m[1]) <= kDust && std::abs(m[2]) <= kDust) {  // inverse pairs and the like
        Factor factor{};
        factor.source = Factor::Source::kConstant;
        factor.qubits[0] = std::int8_t(wire);
        factor.qubits[1] = -1;
        for (int bits = 0; bits < 4; ++bits) factor.values[bits] = bits & 1 ? m[3] : m[0];
        for (Complex& v : factor.values)
          if (std::abs(v - 1.0) <= kDust) v = 1;
        push_factor(factor);
        return;
      }
    }
    form_.words.push_back(word);
    if (!word.is_real) push_word_phase(Factor::Source::kWordFront, index, wire);
    push_node(Node{Node::Kind::kMix, index, mask, 0});
    if (!word.is_real) push_word_phase(Factor::Source::kWordBack, index, wire);
  }

  void push_word_phase(Factor::Source source, std::int32_t word, int wire) {
    Factor factor{};
    factor.source = source;
    factor.index = word;
    factor.qubits[0] = std::int8_t(wire);
    factor.qubits[1] = -1;
    push_node(Node{Node::Kind::kPhase, std::int32_t(form_.factors.size()), 0, std::uint64_t{1} << wire});
    form_.factors.push_back(factor);
  }

  /// A one-qubit instruction that is diagonal whatever its angle.
  void push_phase(std::int32_t number, int wire) {
    if (is_tap(number)) return push_tap(number, 0, std::uint64_t{1} << wire);
    Factor factor{};
    const Instruction& op = tape_.instructions[number];
    factor.index = number;
    factor.qubits[0] = std::int8_t(wire);
    factor.qubits[1] = -1;
    if (is_constant(op)) {
      Complex m[4];
      instruction_matrix(tape_, op, op.shift, m);
      factor.source = Factor::Source::kConstant;
      for (int bits = 0; bits < 4; ++bits) factor.values[bits] = bits & 1 ? m[3] : m[0];
    } else if (Pattern(op.pattern) == Pattern::kDense) {  // diagonal, but not written so
      factor.source = Factor::Source::kInstruction;
      for (int bits = 0; bits < 4; ++bits) factor.entries[bits] = bits & 1 ? 3 : 0;
    } else {
      factor.source = Factor::Source::kInstruction;
      for (int bits = 0; bits < 4; ++bits) factor.entries[bits] = std::int8_t(bits & 1);
    }
    push_factor(factor);
  }

  std::uint64_t move_mask(std::uint64_t mask) const { return map_mask(mask, wires_); }

  static std::uint64_t map_mask(std::uint64_t mask, const std::vector<int>& places) {
    std::uint64_t moved = 0;
    for (; mask != 0; mask &= mask - 1) moved |= std::uint64_t{1} << places[__builtin_ctzll(mask)];
    return moved;
  }

  /// Gives every wire the name of the qubit it holds at the end, so that nothing is left to permute.
  void rename() {
    std::vector<int> places(n_);
    bool same = true;
    for (int q = 0; q < n_; ++q) {
      places[wires_[q]] = q;
      same &= wires_[q] == q;
    }
    if (same) return;
    for (Node& node : form_.nodes) {
      node.active = map_mask(node.active, places);
      node.diagonal = map_mask(node.diagonal, places);
    }
    for (Word& word : form_.words) word.qubit = std::int8_t(places[word.qubit]);
    for (Factor& factor : form_.factors)
      for (std::int8_t& q : factor.qubits)
        if (q >= 0) q = std::int8_t(places[q]);
    for (Instruction& op : form_.generic) {
      op.ctrl_mask = map_mask(op.ctrl_mask, places);
      op.ctrl_value = map_mask(op.ctrl_value, places);
      op.x_mask = map_mask(op.x_mask, places);
      op.z_mask = map_mask(op.z_mask, places);
      for (int i = 0; i < op.num_targets; ++i) {
        std::int32_t& target = form_.generic_integers[op.targets + i];
        target = places[target];
      }
    }
  }

  const Tape& tape_;
  const std::vector<std::int32_t>* const slots_;
  const bool from_zero_;
  const int n_;
  std::vector<int> wires_;                         // wire of each qubit
  std::vector<std::vector<std::int32_t>> open_;    // one-qubit instructions on each wire, not yet in a node
  std::vector<std::int32_t> last_;                 // last node on each wire
  NormalForm form_;
};

}  // namespace

NormalForm make_normal_form(const Tape& tape, bool from_zero, const std::vector<std::int32_t>* slots) {
  return Normalizer(tape, from_zero, slots).make();
}

double angle_of(const Instruction& instruction, const double* angles) {
  return is_constant(instruction) ? instruction.shift
                                  : instruction.scale * angles[instruction.slot] + instruction.shift;
}

void instruction_matrix(const Tape& tape, const Instruction& op, double angle, Complex* m) {
  Complex scratch[4];
  switch (Pattern(op.pattern)) {
    case Pattern::kDense: {
      const Complex* entries = evaluate_entries(tape, op, angle, scratch);
      std::copy(entries, entries + 4, m);
      return;
    }
    case Pattern::kDiagonal: {
      const Complex* entries = evaluate_entries(tape, op, angle, scratch);
      m[0] = entries[0];
      m[3] = entries[1];
      m[1] = m[2] = 0;
      return;
    }
    case Pattern::kPermutation: {
      const std::int32_t* sources = tape.targets(op) + 1;
      const Complex* phases = tape.constants.data() + op.data;
      std::fill(m, m + 4, Complex(0));
      for (int j = 0; j < 2; ++j) m[2 * j + sources[j]] = phases[j];
      return;
    }
    default: {  // a Pauli rotation
      const double c = std::cos(angle / 2), s = std::sin(angle / 2);
      const Complex i(0, 1);
      m[0] = m[3] = c;
      if (op.x_mask == 0) {
        m[0] = Complex(c, -s);
        m[3] = Complex(c, s);
        m[1] = m[2] = 0;
      } else if (op.z_mask == 0) {
        m[1] = m[2] = -i * s;
      } else {
        m[1] = -s;
        m[2] = s;
      }
    }
  }
}

void word_matrix(const Tape& tape, const NormalForm& form, const Word& word, const double* angles, Complex* matrix) {
  run_matrix(tape, form.word_instructions.data() + word.first, std::size_t(word.count), angles, matrix);
}

void word_start_matrix(const Tape& tape, const NormalForm& form, const Word& word, std::int32_t count,
                       const double* angles, Complex* matrix) {
  run_matrix(tape, form.word_instructions.data() + word.first, std::size_t(count), angles, matrix);
}

bool split_rotation(const Complex* m, bool real, Rotation& out) {
  out.global = out.front = out.back = 1;
  out.reflects = false;
  if (!is_unitary(m)) return false;
  if (real) {
    out.c = m[0].real();
    out.s = m[2].real();
    out.reflects = m[0].real() * m[3].real() - m[1].real() * m[2].real() < 0;
    return true;
  }
  out.c = std::abs(m[0]);
  out.s = std::abs(m[2]);
  // The four phases depend on each other, and a small entry knows its own only to its rounding error: the last one
  // comes from the entries that are big.
  constexpr double kTiny = 1e-100;  // too small to matter, and to have a phase of modulus one
  if (out.c > kTiny) out.global = m[0] / out.c;
  if (out.s > kTiny) out.back = m[2] / (out.s * out.global);
  const Complex front = out.c > out.s ? m[3] / (out.global * out.back) : -m[1] / out.global;
  out.front = front / std::abs(front);
  return true;
}

bool factor_values(const Tape& tape, const Factor& factor, const double* angles, Complex* values) {
  if (factor.source == Factor::Source::kConstant) {
    std::copy(factor.values, factor.values + 4, values);
    return true;
  }
  const Instruction& op = tape.instructions[factor.index];
  const double angle = angle_of(op, angles);
  Complex scratch[4], rotation[2];
  const Complex* entries = rotation;
  if (Pattern(op.pattern) == Pattern::kPauliRotation) {
    const double c = std::cos(angle / 2), s = std::sin(angle / 2);
    rotation[0] = Complex(c, -s);
    rotation[1] = Complex(c, s);
  } else {
    entries = evaluate_entries(tape, op, angle, scratch);
  }
  for (int bits = 0; bits < 4; ++bits) {
    values[bits] = factor.entries[bits] < 0 ? Complex(1) : entries[factor.entries[bits]];
    if (!is_unit(values[bits])) return false;
  }
  return true;
}

}  // namespace qsim
