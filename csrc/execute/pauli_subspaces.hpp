// Which blocks of a state must be at hand together for Pauli strings that flip qubits.
#pragma once

#include <cstdint>
#include <vector>

#include "bits.hpp"
#include "pauli_sum.hpp"

namespace qsim {

/// Groups whose x_masks, as vectors over GF(2) of the bits above a block, lie in one subspace: the blocks of any of
/// its cosets hold all pairs of amplitudes these groups need.
struct Subspace {
  std::vector<std::uint64_t> basis;   // reduced: no other vector has the highest bit of one
  std::vector<std::uint64_t> pivots;  // these highest bits
  std::vector<PauliSums::Group> groups;

  static constexpr int kMaxDimension = 6;  // blocks of a coset: together they stay in L2

  /// Bits of a block's number that choose the coset.
  std::uint64_t free_bits(int num_qubits) const {
    std::uint64_t bits = (std::uint64_t{1} << (num_qubits - PauliSums::kBlockBits)) - 1;
    for (const std::uint64_t pivot : pivots) bits &= ~pivot;
    return bits;
  }
  /// Where the blocks of a coset begin in the state, if its first one begins at `first`.
  void write_bases(std::uint64_t first, std::uint64_t* bases) const {
    bases[0] = first;
    for (std::size_t b = 1; b < std::size_t{1} << basis.size(); ++b)
      bases[b] = bases[b & (b - 1)] ^ basis[__builtin_ctzll(b)] << PauliSums::kBlockBits;
  }
  std::uint64_t residue(std::uint64_t vector) const {
    for (std::size_t i = 0; i < basis.size(); ++i)
      if (vector & pivots[i]) vector ^= basis[i];
    return vector;
  }
  void extend(std::uint64_t vector) {  // a residue
    const std::uint64_t pivot = std::uint64_t{1} << log2_of(vector);
    for (std::uint64_t& v : basis)
      if (v & pivot) v ^= vector;
    basis.push_back(vector);
    pivots.push_back(pivot);
  }
  std::uint64_t coordinates(std::uint64_t vector) const {
    std::uint64_t result = 0;
    for (std::size_t i = 0; i < basis.size(); ++i)
      if (vector & pivots[i]) result |= std::uint64_t{1} << i;
    return result;
  }
};

/// Every group in one of the subspaces, its x_block in that subspace's coordinates.
std::vector<Subspace> subspaces_of(std::vector<PauliSums::Group> groups, int num_qubits);

}  // namespace qsim
