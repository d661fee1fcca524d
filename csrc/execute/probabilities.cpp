// Probabilities of some or all qubits, and samples from them.
#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <vector>

#include "bits.hpp"
#include "execute.hpp"
#include "threads.hpp"
#include "workspace.hpp"

namespace qsim {
namespace {

constexpr int kBlockBits = 10;
constexpr int kPartialBits = 12;   // up to here every chunk has its own histogram
constexpr int kChunkBits = 6;      // 2^6 chunks
constexpr int kSampleBlockBits = 12;

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
    own_histograms_ = num_listed <= kPartialBits;
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
  void add_chunk(const Kernels<T>& kernels, const std::complex<T>* state, std::int64_t chunk, double* out) const {
    double* const p = workspace().block.array<double>(block_size());
    const std::uint64_t all = (std::uint64_t{1} << num_qubits_) - 1;
    const std::uint64_t rest = all & ~chunk_mask_ & ~(block_size() - 1);
    const std::uint64_t base = deposit_bits(std::uint64_t(chunk), chunk_mask_);
    std::uint64_t first = 0;
    const std::int64_t num_blocks = std::int64_t{1} << popcount(rest);
    for (std::int64_t b = 0; b < num_blocks; ++b) {
      kernels.abs_squared(reinterpret_cast<const T*>(state + (base | first)), p, block_size());
      fold(p);
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

  /// Sums a block over its bits that are not listed, from the highest down, in place.
  void fold(double* p) const {
    std::size_t size = block_size();
    for (int q = block_bits_ - 1; q >= 0; --q) {
      if ((listed_mask_ >> q) & 1) continue;
      const std::size_t half = std::size_t{1} << q;
      for (std::size_t high = 0; high < size / (2 * half); ++high)
        for (std::size_t low = 0; low < half; ++low)
          p[high * half + low] = p[2 * high * half + low] + p[(2 * high + 1) * half + low];
      size /= 2;
    }
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
  const Kernels<T>& kernels = kernels_for<T>(kernel_table(current_isa()));
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
                   [&](std::int64_t chunk) { marginal.add_chunk(kernels, state, chunk, bins); });
      return;
    }
    std::vector<double> histograms(std::size_t(num_chunks) * num_bins, 0.0);
    parallel_for(num_chunks, inner, [&](std::int64_t chunk) {
      marginal.add_chunk(kernels, state, chunk, histograms.data() + std::size_t(chunk) * num_bins);
    });
    for (std::int64_t chunk = 0; chunk < num_chunks; ++chunk)
      for (std::size_t i = 0; i < num_bins; ++i) bins[i] += histograms[std::size_t(chunk) * num_bins + i];
  });
}

template <class T>
void sample(const std::complex<T>* state, int num_qubits, const double* sorted_uniforms, std::int64_t shots,
            int threads, std::int64_t* out) {
  const Kernels<T>& kernels = kernels_for<T>(kernel_table(current_isa()));
  const int bits = std::min(num_qubits, kSampleBlockBits);
  const std::size_t size = std::size_t{1} << bits;
  const std::int64_t num_blocks = std::int64_t{1} << (num_qubits - bits);
  std::vector<double> ends(num_blocks);  // cumulative probability up to the end of each block
  const auto load = [&](std::int64_t block) {
    double* const p = workspace().block.array<double>(size);
    kernels.abs_squared(reinterpret_cast<const T*>(state + std::size_t(block) * size), p, size);
    return p;
  };
  constexpr std::int64_t kBlocksPerChunk = 16;
  parallel_for((num_blocks + kBlocksPerChunk - 1) / kBlocksPerChunk, threads, [&](std::int64_t chunk) {
    for (std::int64_t b = chunk * kBlocksPerChunk; b < std::min(num_blocks, (chunk + 1) * kBlocksPerChunk); ++b) {
      const double* const p = load(b);
      double sum = 0;
      for (std::size_t j = 0; j < size; ++j) sum += p[j];
      ends[b] = sum;
    }
  });
  for (std::int64_t b = 1; b < num_blocks; ++b) ends[b] += ends[b - 1];
  const double total = ends.back();
  if (!(total > 0) || !std::isfinite(total))
    throw std::invalid_argument("The state to sample from must have a finite norm above zero.");
  // The last block that adds anything: where rounding would push a sample past the end.
  const std::int64_t last_block = std::lower_bound(ends.begin(), ends.end(), total) - ends.begin();

  constexpr std::int64_t kShotsPerChunk = 4096;
  parallel_for((shots + kShotsPerChunk - 1) / kShotsPerChunk, threads, [&](std::int64_t chunk) {
    std::int64_t block = -1;
    std::size_t j = 0;
    double running = 0;
    const double* p = nullptr;
    for (std::int64_t s = chunk * kShotsPerChunk; s < std::min(shots, (chunk + 1) * kShotsPerChunk); ++s) {
      const double goal = sorted_uniforms[s] * total;
      const std::int64_t found =
          std::min<std::int64_t>(last_block, std::upper_bound(ends.begin(), ends.end(), goal) - ends.begin());
      if (found != block) {
        block = found;
        p = load(block);
        j = 0;
        running = (block == 0 ? 0.0 : ends[block - 1]) + p[0];
      }
      while (!(running > goal) && j + 1 < size) running += p[++j];
      std::size_t at = j;
      while (at > 0 && p[at] == 0) --at;  // rounding at the block's end must not pick an impossible outcome
      out[s] = block * std::int64_t(size) + std::int64_t(at);
    }
  });
}

#define QSIM_INSTANTIATE(T)                                                                                          \
  template void probabilities<T>(const std::complex<T>*, int, std::int64_t, const std::int32_t*, int, int, double*); \
  template void sample<T>(const std::complex<T>*, int, const double*, std::int64_t, int, std::int64_t*);
QSIM_INSTANTIATE(float)
QSIM_INSTANTIATE(double)
#undef QSIM_INSTANTIATE

}  // namespace qsim
