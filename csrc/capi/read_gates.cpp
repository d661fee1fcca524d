// Circuits from arrays of qsim_gate.
#include <cmath>
#include <cstring>
#include <string>

#include "../execute/bits.hpp"
#include "error.hpp"
#include "program.hpp"
#include "text.hpp"

namespace qsim::capi {
namespace {

constexpr int kMaxMatrixQubits = 10;     // of "unitary"
constexpr int kMaxDiagonalQubits = 24;   // of "diagonal"
constexpr double kUnitaryTolerance = 1e-8;

/// One record, its arguments named by its place among them.
class GateReader {
 public:
  GateReader(const qsim_gate& gate, std::int64_t number, int num_qubits, int num_params)
      : gate_(gate), number_(number), num_qubits_(num_qubits), num_params_(num_params) {}

  void read(TapeMaker& maker) {
    if (gate_.name == nullptr) fail("name", "must not be NULL");
    check_qubits("qubits", gate_.qubits, gate_.num_qubits);
    check_qubits("controls", gate_.controls, gate_.num_controls);
    const Controls controls = read_controls();
    const std::string name = gate_.name;
    if (name == "unitary" || name == "diagonal") return add_matrix(name == "diagonal", controls, maker);
    if (gate_.matrix != nullptr) fail("matrix", "must be NULL, as gate `" + shown() + "` has none of its own");
    if (name == "pauli_rotation") return add_rotation(controls, maker);
    if (gate_.paulis != nullptr) fail("paulis", "must be NULL but for a `pauli_rotation`");
    const Gate* const found = find_gate(name);
    if (found == nullptr)
      fail("name", "must be that of a gate, but is `" + shown() + "`" + hint(name, gate_names()));
    if (gate_.num_qubits != found->num_qubits)
      fail("num_qubits", "must be " + std::to_string(found->num_qubits) + " for gate `" + name + "`, but is " +
                             std::to_string(gate_.num_qubits));
    maker.add(*found, read_angles(found->num_params).data(), gate_.qubits, controls);
  }

 private:
  [[noreturn]] void fail(const std::string& field, const std::string& fact) const {
    argument_error("Argument `gates[" + std::to_string(number_) + "]." + field + "` " + fact + ".");
  }

  std::string shown() const { return std::string(gate_.name, strnlen(gate_.name, 60)); }

  void check_qubits(const char* field, const std::int32_t* qubits, std::int32_t count) {
    if (count < 0 || count > num_qubits_)
      fail("num_" + std::string(field), "must be between 0 and " + std::to_string(num_qubits_) + ", but is " +
                                            std::to_string(count));
    if (count > 0 && qubits == nullptr) fail(field, "must not be NULL");
    for (int k = 0; k < count; ++k) {
      const std::string place = std::string(field) + "[" + std::to_string(k) + "]";
      if (qubits[k] < 0 || qubits[k] >= num_qubits_)
        fail(place, "must be between 0 and " + std::to_string(num_qubits_ - 1) + ", but is " + std::to_string(qubits[k]));
      if (used_ >> qubits[k] & 1) fail(place, "is qubit " + std::to_string(qubits[k]) + ", which the gate has already");
      used_ |= std::uint64_t{1} << qubits[k];
    }
  }

  Controls read_controls() const {
    Controls out;
    for (int k = 0; k < gate_.num_controls; ++k) {
      const std::int32_t value = gate_.control_values == nullptr ? 1 : gate_.control_values[k];
      if (value != 0 && value != 1)
        fail("control_values[" + std::to_string(k) + "]", "must be 0 or 1, but is " + std::to_string(value));
      out.mask |= std::uint64_t{1} << gate_.controls[k];
      out.value |= std::uint64_t(value) << gate_.controls[k];
    }
    return out;
  }

  std::vector<Angle> read_angles(int count) const {
    if (gate_.num_angles != count)
      fail("num_angles", "must be " + std::to_string(count) + " for gate `" + shown() + "`, but is " +
                             std::to_string(gate_.num_angles));
    if (count > 0 && gate_.angles == nullptr) fail("angles", "must not be NULL");
    std::vector<Angle> out;
    for (int k = 0; k < count; ++k) {
      const qsim_angle& angle = gate_.angles[k];
      const std::string place = "angles[" + std::to_string(k) + "].";
      if (angle.param < -1 || angle.param >= num_params_)
        fail(place + "param", "must be -1 or the number of one of " + counted(num_params_, "parameter") + ", but is " +
                                  std::to_string(angle.param));
      check_number(place + "shift", angle.shift);
      if (angle.param >= 0) check_number(place + "scale", angle.scale);
      out.push_back({angle.param, angle.scale, angle.shift});
    }
    return out;
  }

  void check_number(const std::string& field, double value) const {
    if (!(std::abs(value) <= kMaxAngle))
      fail(field, (std::isfinite(value) ? "must be at most 1e+100 in magnitude, but is " : "must be finite, but is ") +
                      number_text(value));
  }

  void add_matrix(bool diagonal, Controls controls, TapeMaker& maker) const {
    read_angles(0);
    if (gate_.matrix == nullptr) fail("matrix", "must not be NULL");
    const int limit = diagonal ? kMaxDiagonalQubits : kMaxMatrixQubits, k = gate_.num_qubits;
    if (k > limit)
      fail("num_qubits", "must be at most " + std::to_string(limit) + " for a matrix, but is " + std::to_string(k));
    const std::size_t dim = std::size_t{1} << k, size = diagonal ? dim : dim * dim;
    std::vector<Complex> entries(size);
    for (std::size_t i = 0; i < size; ++i) {
      entries[i] = {gate_.matrix[2 * i], gate_.matrix[2 * i + 1]};
      if (!std::isfinite(entries[i].real()) || !std::isfinite(entries[i].imag()))
        fail("matrix", "must hold finite numbers, but entry " + std::to_string(i) + " is not");
    }
    check_unitary(entries, dim, diagonal);
    maker.add_matrix(entries, {gate_.qubits, gate_.qubits + k}, controls);
  }

  void check_unitary(const std::vector<Complex>& entries, std::size_t dim, bool diagonal) const {
    double worst = 0;
    if (diagonal)
      for (const Complex& entry : entries) worst = std::max(worst, std::abs(std::norm(entry) - 1));
    else
      for (std::size_t i = 0; i < dim; ++i)
        for (std::size_t j = 0; j <= i; ++j) {
          Complex product = i == j ? -1 : 0;
          for (std::size_t l = 0; l < dim; ++l) product += entries[i * dim + l] * std::conj(entries[j * dim + l]);
          worst = std::max(worst, std::abs(product));
        }
    if (!(worst <= kUnitaryTolerance))
      fail("matrix", "must be unitary, but its product with its adjoint differs from the identity by " +
                         number_text(worst));
  }

  void add_rotation(Controls controls, TapeMaker& maker) const {
    if (gate_.paulis == nullptr) fail("paulis", "must not be NULL for a `pauli_rotation`");
    const int k = gate_.num_qubits;
    const std::size_t length = strnlen(gate_.paulis, std::size_t(num_qubits_) + 1);
    if (length != std::size_t(k))
      fail("paulis", "must have one letter for each of " + counted(k, "qubit") + ", but has " +
                         (length > std::size_t(num_qubits_) ? "more" : std::to_string(length)));
    std::uint64_t x_mask = 0, z_mask = 0;
    for (int i = 0; i < k; ++i) {
      const char letter = gate_.paulis[k - 1 - i];
      const std::uint64_t bit = std::uint64_t{1} << gate_.qubits[i];
      if (letter != 'I' && letter != 'X' && letter != 'Y' && letter != 'Z')
        fail("paulis", "must hold the letters I, X, Y and Z, but has another at position " + std::to_string(k - 1 - i));
      if (letter == 'X' || letter == 'Y') x_mask |= bit;
      if (letter == 'Y' || letter == 'Z') z_mask |= bit;
    }
    maker.add_rotation(x_mask, z_mask, read_angles(1)[0], controls);
  }

  const qsim_gate& gate_;
  const std::int64_t number_;
  const int num_qubits_, num_params_;
  std::uint64_t used_ = 0;
};

}  // namespace

Circuit read_gates(const qsim_gate* gates, std::int64_t num_gates, int num_qubits, int num_params) {
  Circuit circuit;
  circuit.num_qubits = num_qubits;
  circuit.num_params = num_params;
  if (num_gates > 0) check_pointer(gates, "gates");
  const char* record = reinterpret_cast<const char*>(gates);
  std::uint64_t size = 0;
  for (std::int64_t number = 0; number < num_gates; ++number, record += size) {
    qsim_gate gate;
    std::memcpy(&size, record, sizeof size);
    // Only records of this version or of later ones, which are longer, are known; 4096 bytes are no record at all.
    if (size < sizeof gate || size > 4096 || size % alignof(qsim_gate) != 0)
      argument_error("Argument `gates[" + std::to_string(number) + "].size` must be sizeof(qsim_gate), which is " +
                     std::to_string(sizeof gate) + ", but is " + std::to_string(size) + ".");
    std::memcpy(&gate, record, sizeof gate);
    GateReader(gate, number, num_qubits, num_params).read(circuit.maker);
  }
  return circuit;
}

}  // namespace qsim::capi
