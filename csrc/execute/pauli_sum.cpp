#include "pauli_sum.hpp"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <stdexcept>
#include <string>

#include "bits.hpp"
#include "execute.hpp"
#include "resident.hpp"
#include "threads.hpp"
#include "workspace.hpp"

namespace qsim {
namespace {

constexpr int kBlockBits = 9;  // a block's products and their sources stay in L1
constexpr std::int64_t kNumChunks = 64;
// From here on all 2^kBlockBits signed sums of a block at once are cheaper than one after the other.
constexpr std::size_t kWalshHadamardStrings = 12;

/// Where the blocks of amplitudes come from, in double precision.
template <class T>
struct StateBlocks {
  const T* amplitudes;
  const Kernels<T>& kernels;
  std::size_t count;  // amplitudes of a block that exist
  std::size_t padded;
  void load(std::uint64_t block, double*& re, double*& im) const {
    kernels.split_double(amplitudes + 2 * block * count, re, im, count);
    std::fill(re + count, re + padded, 0.0);
    std::fill(im + count, im + padded, 0.0);
  }
};
template <class T>
struct TileBlocks {
  const T *re_parts, *im_parts;
  std::size_t padded;
  void load(std::uint64_t block, double*& re, double*& im) const {
    if constexpr (sizeof(T) == sizeof(double)) {
      re = const_cast<double*>(re_parts) + block * padded;
      im = const_cast<double*>(im_parts) + block * padded;
    } else {
      for (std::size_t j = 0; j < padded; ++j) re[j] = double(re_parts[block * padded + j]);
      for (std::size_t j = 0; j < padded; ++j) im[j] = double(im_parts[block * padded + j]);
    }
  }
};

/// Adds the block's share of sum_b (-1)^popcount(b & z) conj(psi[b ^ x]) psi[b] of every string of a group: its real
/// part where x & z has an even number of bits, else its imaginary part (the other part cancels).
template <class Blocks>
void add_block(const PauliSums& sums, const PauliSums::Group& group, const KernelTable& table, const Blocks& blocks,
               std::uint64_t block, std::size_t size, int block_bits, double* values) {
  double* const buffer = workspace().block.array<double>(6 * size);
  double *a_re = buffer, *a_im = buffer + size, *b_re = buffer + 2 * size, *b_im = buffer + 3 * size;
  double* products[2] = {buffer + 4 * size, buffer + 5 * size};
  const std::uint64_t low_mask = (std::uint64_t{1} << block_bits) - 1;
  const std::uint64_t x_low = group.x_mask & low_mask, x_block = group.x_mask >> block_bits;
  blocks.load(block, a_re, a_im);
  if (x_block != 0) {
    blocks.load(block ^ x_block, b_re, b_im);
  } else {
    b_re = a_re;
    b_im = a_im;
  }
  std::size_t of_kind[2] = {};
  for (std::size_t s = group.first; s < group.last; ++s) ++of_kind[parity(group.x_mask & sums.z_masks[s])];
  table.pauli_products(a_re, a_im, b_re, b_im, size, x_low, of_kind[0] ? products[0] : nullptr,
                       of_kind[1] ? products[1] : nullptr);
  bool transformed[2];
  for (int kind = 0; kind < 2; ++kind) {
    transformed[kind] = of_kind[kind] >= kWalshHadamardStrings;
    if (transformed[kind]) table.walsh_hadamard(products[kind], size);
  }
  for (std::size_t s = group.first; s < group.last; ++s) {
    const std::uint64_t z = sums.z_masks[s];
    const int kind = parity(group.x_mask & z);
    const double value =
        transformed[kind] ? products[kind][z & low_mask] : table.signed_sum(products[kind], size, z & low_mask);
    values[s - group.first] += parity((z >> block_bits) & block) ? -value : value;
  }
}

/// The values of all distinct strings. Chunks of blocks are fixed, so the order of the sums is.
template <class Blocks>
void string_values(const PauliSums& sums, const KernelTable& table, const Blocks& blocks, std::size_t size,
                   int block_bits, int threads, double* values) {
  const std::int64_t num_blocks = std::int64_t{1} << (sums.num_qubits - block_bits);
  const std::int64_t num_chunks = std::min(kNumChunks, num_blocks), per_chunk = num_blocks / num_chunks;
  for (const PauliSums::Group& group : sums.groups) {
    const std::size_t num_strings = group.last - group.first;
    const std::uint64_t x_block = group.x_mask >> block_bits;
    const std::uint64_t pivot = x_block == 0 ? 0 : std::uint64_t{1} << log2_of(x_block);  // b and b ^ x add the same
    AlignedBuffer local;
    AlignedBuffer& buffer = num_chunks == 1 ? workspace().values : local;
    double* const partial = buffer.array<double>(num_strings * num_chunks);
    std::fill(partial, partial + num_strings * num_chunks, 0.0);
    parallel_for(num_chunks, threads, [&](std::int64_t chunk) {
      for (std::int64_t block = chunk * per_chunk; block < (chunk + 1) * per_chunk; ++block) {
        if (std::uint64_t(block) & pivot) continue;
        add_block(sums, group, table, blocks, std::uint64_t(block), size, block_bits, partial + chunk * num_strings);
        if ((block & 15) == 15) checkpoint();
      }
    });
    for (std::size_t s = 0; s < num_strings; ++s) {
      double sum = 0;
      for (std::int64_t chunk = 0; chunk < num_chunks; ++chunk) sum += partial[chunk * num_strings + s];
      if (pivot != 0) sum *= 2;
      const int power = popcount(group.x_mask & sums.z_masks[group.first + s]) & 3;  // of i
      values[group.first + s] = power == 1 || power == 2 ? -sum : sum;
    }
  }
}

}  // namespace

PauliSums::PauliSums(std::int64_t qubits, const std::vector<std::uint64_t>& x_masks,
                     const std::vector<std::uint64_t>& all_z_masks, std::vector<double> coefficients,
                     std::vector<std::int64_t> offsets)
    : num_qubits(int(qubits)), coefficients_(std::move(coefficients)), offsets_(std::move(offsets)) {
  if (qubits < 0 || qubits > kMaxQubits)
    throw std::invalid_argument("Argument `num_qubits` must be between 0 and " + std::to_string(kMaxQubits) +
                                ", but is " + std::to_string(qubits) + ".");
  const std::size_t num_terms = coefficients_.size();
  if (x_masks.size() != num_terms || all_z_masks.size() != num_terms)
    throw std::invalid_argument("Arguments `x_masks`, `z_masks` and `coefficients` must have the same length.");
  if (offsets_.empty() || offsets_.front() != 0 || offsets_.back() != std::int64_t(num_terms) ||
      !std::is_sorted(offsets_.begin(), offsets_.end()))
    throw std::invalid_argument("Argument `offsets` must rise from 0 to the number of terms.");
  for (std::size_t t = 0; t < num_terms; ++t)
    if ((x_masks[t] | all_z_masks[t]) >> num_qubits)
      throw std::invalid_argument("Term " + std::to_string(t) + " has a mask with bits beyond its " +
                                  std::to_string(num_qubits) + " qubits.");
  std::vector<std::size_t> order(num_terms);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return x_masks[a] != x_masks[b] ? x_masks[a] < x_masks[b] : all_z_masks[a] < all_z_masks[b];
  });
  string_of_term_.resize(num_terms);
  for (const std::size_t t : order) {
    const bool new_group = groups.empty() || groups.back().x_mask != x_masks[t];
    if (new_group) groups.push_back({x_masks[t], z_masks.size(), z_masks.size()});
    if (new_group || z_masks.back() != all_z_masks[t]) z_masks.push_back(all_z_masks[t]);
    groups.back().last = z_masks.size();
    string_of_term_[t] = z_masks.size() - 1;
  }
}

void PauliSums::combine(const double* string_values, double* out) const {
  for (std::size_t k = 0; k + 1 < offsets_.size(); ++k) {
    double sum = 0;
    for (std::int64_t t = offsets_[k]; t < offsets_[k + 1]; ++t)
      sum += coefficients_[t] * string_values[string_of_term_[t]];
    out[k] = sum;
  }
}

template <class T>
void expectation_of_tile(const PauliSums& sums, const KernelTable& table, const T* re, const T* im, std::size_t,
                         double* out) {
  const int block_bits = std::min(sums.num_qubits, kBlockBits);
  const std::size_t size =
      std::max(std::size_t{1} << block_bits, std::size_t(table.vector_bytes) / sizeof(double));
  double* const values = workspace().entries.array<double>(sums.num_strings());
  string_values(sums, table, TileBlocks<T>{re, im, size}, size, block_bits, 1, values);
  sums.combine(values, out);
}

template <class T>
void expectation(const PauliSums& sums, const std::complex<T>* states, std::int64_t batch, int threads, double* out) {
  const KernelTable& table = kernel_table(current_isa());
  const int block_bits = std::min(sums.num_qubits, kBlockBits);
  const std::size_t count = std::size_t{1} << block_bits;
  const std::size_t size = std::max(count, std::size_t(table.vector_bytes) / sizeof(double));
  const std::size_t dim = std::size_t{1} << sums.num_qubits;
  const bool rows_apart = sums.num_qubits <= kMaxTileBits;  // threads share out rows, or the blocks of one
  parallel_for(batch, rows_apart ? threads : 1, [&](std::int64_t row) {
    AlignedBuffer local;
    double* const values = local.array<double>(std::max<std::size_t>(1, sums.num_strings()));
    const StateBlocks<T> blocks{reinterpret_cast<const T*>(states + row * dim), kernels_for<T>(table), count, size};
    string_values(sums, table, blocks, size, block_bits, rows_apart ? 1 : threads, values);
    sums.combine(values, out + row * sums.num_observables());
  });
}

#define QSIM_INSTANTIATE(T)                                                                                  \
  template void expectation_of_tile<T>(const PauliSums&, const KernelTable&, const T*, const T*, std::size_t, \
                                       double*);                                                             \
  template void expectation<T>(const PauliSums&, const std::complex<T>*, std::int64_t, int, double*);
QSIM_INSTANTIATE(float)
QSIM_INSTANTIATE(double)
#undef QSIM_INSTANTIATE

}  // namespace qsim
