// Probabilities of some or all qubits.
#include <algorithm>
#include <vector>

#include "bits.hpp"
#include "execute.hpp"
#include "threads.hpp"
#include "workspace.hpp"

namespace qsim {
namespace {

constexpr int kBlockBits = 10;
constexpr int kPartialBits = 12;   // up to here every chunk has its own histogram, unless
constexpr int kMinSummedBits = 10; // few amplitudes fall into each bin
constexpr int kChunkBits = 6;      // 2^6 chunks

/// Sums over the qubits that are not listed, one contiguous block of amplitudes at a time.
class Marginal {
 public:
  Marginal(int num_qubits, const std::int32_t* listed, int num_listed) : num_qubits_(num_qubits) {
    for (int i = 0; i < num_listed; ++i) {
      listed_mask_ |= std::uint64_t{1} << listed[i];
      result_bit_[listed[i]] = std::uint8_t(i);
    }
    num_listed_ = num_listed;
    // Chunks are runs of amplitudes, each with its own histogram; a histogram too big for that is instead cut by
    // its own highest qubits, so that no two chunks share a bin.
    own_histograms_ = num_listed <= kChunkBits || num_listed <= std::min(kPartialBits, num_qubits - kMinSummedBits);
    block_bits_ = std::min(num_qubits, kBlockBits);
    chunk_mask_ = 0;
    if (own_histograms_) {
      for (int q = std::max(block_bits_, num_qubits - kChunkBits); q < num_qubits; ++q)
        chunk_mask_ |= std::uint64_t{1} << q;
    } else {
      int q = num_qubits - 1;
      for (int found = 0; found < kChunkBits; --q)
        if ((listed_mask_ >> q) & 1) {
          chunk_mask_ |= std::uint64_t{1} << q;
          ++found;
        }
      block_bits_ = std::min(block_bits_, q + 1);
    }
    const int in_block = popcount(listed_mask_ & (block_size() - 1));
    block_bins_.resize(std::size_t{1} << in_block);
    for (std::size_t j = 0; j < block_bins_.size(); ++j)
      block_bins_[j] = bin(deposit_bits(j, listed_mask_ & (block_size() - 1)));
    in_order_ = true;
    for (std::size_t j = 0; j < block_bins_.size(); ++j) in_order_ &= block_bins_[j] == j;
  }

  std::size_t block_size() const { return std::size_t{1} << block_bits_; }
  std::int64_t num_chunks() const { return std::int64_t{1} << popcount(chunk_mask_); }
  bool own_histograms() const { return own_histograms_; }

  template <class T>
  void add_chunk(const KernelTable& table, const std::complex<T>* state, std::int64_t chunk, double* out) const {
    double* const p = workspace().block.array<double>(block_size());
    const std::uint64_t all = (std::uint64_t{1} << num_qubits_) - 1;
    const std::uint64_t rest = all & ~chunk_mask_ & ~(block_size() - 1);
    const std::uint64_t base = deposit_bits(std::uint64_t(chunk), chunk_mask_);
    std::uint64_t first = 0;
    const std::int64_t num_blocks = std::int64_t{1} << popcount(rest);
    for (std::int64_t b = 0; b < num_blocks; ++b) {
      kernels_for<T>(table).abs_squared(reinterpret_cast<const T*>(state + (base | first)), p, block_size());
      table.sum_over_bits(p, block_size(), ~listed_mask_);
      double* const bins = out + bin(base | first);
      if (in_order_) {
        for (std::size_t j = 0; j < block_bins_.size(); ++j) bins[j] += p[j];
      } else {
        for (std::size_t j = 0; j < block_bins_.size(); ++j) bins[block_bins_[j]] += p[j];
      }
      first = ((first | ~rest) + 1) & rest;
      if ((b & 255) == 255) checkpoint();
    }
  }

 private:
  std::uint64_t bin(std::uint64_t index) const {
    std::uint64_t result = 0;
    for (std::uint64_t mask = index & listed_mask_; mask != 0; mask &= mask - 1)
      result |= std::uint64_t{1} << result_bit_[__builtin_ctzll(mask)];
    return result;
  }

  int num_qubits_, num_listed_ = 0, block_bits_;
  bool own_histograms_, in_order_;
  std::uint64_t listed_mask_ = 0, chunk_mask_;
  std::uint8_t result_bit_[64] = {};
  std::vector<std::uint64_t> block_bins_;
};

}  // namespace

template <class T>
void probabilities(const std::complex<T>* states, int num_qubits, std::int64_t batch, const std::int32_t* listed,
                   int num_listed, int threads, double* out) {
  const KernelTable& table = kernel_table(current_isa());
  const Marginal marginal(num_qubits, listed, num_listed);
  const std::size_t num_bins = std::size_t{1} << num_listed;
  const bool rows_apart = batch >= threads && num_qubits <= 20;
  const std::int64_t num_chunks = marginal.num_chunks();
  parallel_for(batch, rows_apart ? threads : 1, [&](std::int64_t row) {
    const std::complex<T>* const state = states + (std::size_t(row) << num_qubits);
    double* const bins = out + std::size_t(row) * num_bins;
    std::fill(bins, bins + num_bins, 0.0);
    const int inner = rows_apart ? 1 : threads;
    if (!marginal.own_histograms() || num_chunks == 1) {
      parallel_for(num_chunks, inner,
                   [&](std::int64_t chunk) { marginal.add_chunk(table, state, chunk, bins); });
      return;
    }
    std::vector<double> histograms(std::size_t(num_chunks) * num_bins, 0.0);
    parallel_for(num_chunks, inner, [&](std::int64_t chunk) {
      marginal.add_chunk(table, state, chunk, histograms.data() + std::size_t(chunk) * num_bins);
    });
    for (std::int64_t chunk = 0; chunk < num_chunks; ++chunk)
      for (std::size_t i = 0; i < num_bins; ++i) bins[i] += histograms[std::size_t(chunk) * num_bins + i];
  });
}

#define QSIM_INSTANTIATE(T)                                                                                          \
  template void probabilities<T>(const std::complex<T>*, int, std::int64_t, const std::int32_t*, int, int, double*);
QSIM_INSTANTIATE(float)
QSIM_INSTANTIATE(double)
#undef QSIM_INSTANTIATE

}  // namespace qsim
