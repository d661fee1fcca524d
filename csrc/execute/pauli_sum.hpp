// Real combinations of Pauli strings, sorted so that one pass over the state serves as many of them as possible.
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

  static constexpr int kBlockBits = 9;  // two blocks and their products stay in L1

  /// Strings first .. last - 1, which flip the same qubits; those from `middle` on have an odd number of Y.
  struct Group {
    std::uint64_t x_mask;
    std::uint64_t x_block;  // what it does to the number of a block
    std::size_t first, middle, last;
    std::size_t size() const { return last - first; }
  };
  struct Flip {  // the string X of one qubit
    std::uint64_t bit;
    std::size_t string;
  };

  const int num_qubits;
  // Strings of Z alone are 0 .. num_diagonal - 1; any other is in one of `groups` or `flips`.
  std::size_t num_diagonal = 0;
  std::vector<Group> groups;
  std::vector<Flip> flips;
  std::vector<std::uint64_t> z_masks;

  std::size_t num_strings() const { return z_masks.size(); }
  std::int64_t num_observables() const { return std::int64_t(offsets_.size()) - 1; }
  /// Of every distinct string in one observable.
  std::vector<double> coefficients_of(std::int64_t observable) const;
  /// From the values of the distinct strings to those of the observables.
  void combine(const double* string_values, double* out) const;

 private:
  std::vector<double> coefficients_;
  std::vector<std::int64_t> offsets_;
  std::vector<std::size_t> string_of_term_;
};

}  // namespace qsim
