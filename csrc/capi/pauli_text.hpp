// Sums of Pauli strings as text, and labels of single strings, as qsim/observables/labels.py reads them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace qsim::capi {

struct PauliTerm {
  std::uint64_t x_mask = 0, z_mask = 0;
  double coefficient = 1;
};

/// "0.5 * X0 Y1 - 2 * Z2 + 0.25": terms with real coefficients. `name` is the argument in messages.
std::vector<PauliTerm> read_pauli_sum(std::string_view text, int num_qubits, const std::string& name);

}  // namespace qsim::capi
