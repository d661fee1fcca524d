// Small states: a batch of them is shared out to threads row by row.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "../kernel_table.hpp"
#include "pauli_sum.hpp"

namespace qsim {

inline std::int64_t resident_rows_per_chunk(std::int64_t batch, int threads) {
  return std::max<std::int64_t>(1, std::min<std::int64_t>(64, batch / (4 * std::int64_t(threads))));
}

/// Observables of the state a tile of `size` amplitudes holds.
template <class T>
void expectation_of_tile(const PauliSums& sums, const KernelTable& table, const T* re, const T* im, std::size_t size,
                         double* out);

}  // namespace qsim
