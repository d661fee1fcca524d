#include "pauli_subspaces.hpp"

#include <algorithm>

namespace qsim {

/// Vectors are added to the subspace one by one, each time the one that brings in the most groups.
std::vector<Subspace> subspaces_of(std::vector<PauliSums::Group> rest, int num_qubits) {
  const int block_number_bits = num_qubits - PauliSums::kBlockBits;
  const std::size_t max_dimension = std::min(Subspace::kMaxDimension, std::max(3, block_number_bits - 3));
  std::vector<Subspace> result;
  std::vector<PauliSums::Group> later;
  std::vector<std::uint64_t> residues;
  while (!rest.empty()) {
    Subspace space;
    while (space.basis.size() < max_dimension) {
      residues.clear();
      for (const PauliSums::Group& group : rest) residues.push_back(space.residue(group.x_block));
      std::sort(residues.begin(), residues.end());
      std::uint64_t best = 0;
      std::size_t most = 0;
      for (std::size_t i = 0, end; i < residues.size(); i = end) {
        for (end = i; end < residues.size() && residues[end] == residues[i]; ++end) {}
        const bool better = end - i > most || (end - i == most && popcount(residues[i]) < popcount(best));
        if (residues[i] != 0 && better) {
          best = residues[i];
          most = end - i;
        }
      }
      if (best == 0) break;
      space.extend(best);
    }
    later.clear();
    for (PauliSums::Group group : rest) {
      const bool inside = space.residue(group.x_block) == 0;
      if (inside) group.x_block = space.coordinates(group.x_block);
      (inside ? space.groups : later).push_back(group);
    }
    rest.swap(later);
    result.push_back(std::move(space));
  }
  return result;
}

}  // namespace qsim
