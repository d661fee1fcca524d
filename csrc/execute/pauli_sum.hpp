// Real combinations of Pauli strings, sorted so that one pass over the state serves all strings that flip the
// same qubits.
#pragma once

#include <cstdint>
#include <vector>

#include "tape.hpp"

namespace qsim {

class PauliSums {
 public:
  /// Terms offsets[k] .. offsets[k+1] - 1 belong to observable k. Throws std::invalid_argument.
  PauliSums(std::int64_t num_qubits, const std::vector<std::uint64_t>& x_masks,
            const std::vector<std::uint64_t>& z_masks, std::vector<double> coefficients,
            std::vector<std::int64_t> offsets);

  struct Group {  // strings with one x_mask: strings first .. last - 1
    std::uint64_t x_mask;
    std::size_t first, last;
  };

  const int num_qubits;
  std::vector<Group> groups;
  std::vector<std::uint64_t> z_masks;  // of the distinct strings, by group

  std::size_t num_strings() const { return z_masks.size(); }
  std::int64_t num_observables() const { return std::int64_t(offsets_.size()) - 1; }
  /// From the values of the distinct strings to those of the observables.
  void combine(const double* string_values, double* out) const;

 private:
  std::vector<double> coefficients_;
  std::vector<std::int64_t> offsets_;
  std::vector<std::size_t> string_of_term_;
};

}  // namespace qsim
