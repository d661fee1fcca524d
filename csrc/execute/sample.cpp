// Samples of basis states.
//
// Shot i looks up the i-th number of a stream in the cumulative probabilities. That alone says what is drawn: shots
// are sorted by the block of amplitudes they fall into, so that each block is read once, and come out in their own
// order.
#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <utility>
#include <vector>

#include "bits.hpp"
#include "execute.hpp"
#include "threads.hpp"
#include "workspace.hpp"

namespace qsim {
namespace {

constexpr int kMinSampleBlockBits = 10, kMaxSampleBlockBits = 12;  // their cumulative probabilities stay in L1
constexpr int kBlockNumberBits = 10;                   // so many blocks are few enough to sort into
constexpr std::int64_t kBlocksPerChunk = 16;
constexpr std::int64_t kShotChunks = 16;

/// Number i of the stream: the upper 53 bits of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014) from the state `key`.
std::uint64_t random_bits(std::uint64_t key, std::uint64_t i) {
  std::uint64_t z = key + (i + 1) * 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return (z ^ (z >> 31)) >> 11;
}
double uniform(std::uint64_t bits) { return double(std::int64_t(bits)) * 0x1p-53; }

constexpr std::size_t kWindow = 16;        // compared at once, without a branch
constexpr std::size_t kValuesPerStep = 8;

/// Finds places in ascending values[0 .. size - 1], most of them in one window behind where equal steps lead.
class Guide {
 public:
  /// `values` has room for kWindow more; goals are in [start, values[last]], values[last] > values[last - 1].
  Guide(double* values, std::size_t size, std::size_t last, double start, std::uint32_t* steps)
      : values_(values), steps_(steps), last_(last), num_steps_(std::max<std::size_t>(1, size / kValuesPerStep)), start_(start) {
    const double width = values[last] - start;
    scale_ = width > 0 ? double(num_steps_) / width : 0;
    for (std::size_t k = 0, place = 0; k < num_steps_; ++k) {
      const double step = start + width * (double(k) / double(num_steps_)) - 1e-12 * values[last];  // rounded down
      while (place < last && values[place] <= step) ++place;
      steps[k] = std::uint32_t(place);
    }
    std::fill(values + size, values + size + kWindow, values[last]);
  }
  /// The first place, at most `last`, whose value exceeds the goal.
  std::size_t find(double goal) const {
    std::size_t place = steps_[std::min(std::size_t((goal - start_) * scale_), num_steps_ - 1)];
    int count = 0;
    for (std::size_t i = 0; i < kWindow; ++i) count += values_[place + i] <= goal;
    place += std::size_t(count);
    if (std::size_t(count) == kWindow && place < last_)
      place = std::size_t(std::upper_bound(values_ + place, values_ + last_, goal) - values_);
    return std::min(last_, place);
  }

 private:
  const double* values_;
  const std::uint32_t* steps_;
  std::size_t last_, num_steps_;
  double start_, scale_;
};

/// Cumulative probabilities of blocks, and a table of equally wide steps that leaves little to search.
class BlockSearch {
 public:
  /// `sums`: the probability of each block; a power of two of them.
  explicit BlockSearch(std::vector<double> sums) : ends_(std::move(sums)) {
    for (std::size_t b = 1; b < ends_.size(); ++b) ends_[b] += ends_[b - 1];
    // The last block that adds anything: where rounding would push a sample past the end.
    const std::size_t last = std::lower_bound(ends_.begin(), ends_.end(), total()) - ends_.begin();
    const int bits = log2_of(ends_.size()) + 2;
    shift_ = 53 - bits;
    first_.reserve((std::size_t{1} << bits) + 2);
    for (std::size_t k = 0, block = 0; k <= std::size_t{1} << bits; ++k) {
      const double step = total() * (double(k) / double(std::size_t{1} << bits)) * (1 - 1e-12);
      while (block < last && ends_[block] <= step) ++block;
      first_.push_back(std::uint32_t(block));
    }
    first_.push_back(std::uint32_t(last));
  }
  double total() const { return ends_.back(); }
  double start(std::int64_t block) const { return block == 0 ? 0.0 : ends_[block - 1]; }
  std::size_t find(std::uint64_t bits) const {
    const std::size_t k = bits >> shift_;
    const double goal = uniform(bits) * total();
    std::size_t low = first_[k], high = first_[k + 2];
    while (low < high && ends_[low] <= goal) {  // mostly not even once
      const std::size_t middle = (low + high) / 2;
      if (ends_[middle] <= goal) {
        low = middle + 1;
      } else {
        high = middle;
        ++low;
      }
    }
    return low;
  }

 private:
  std::vector<double> ends_;
  std::vector<std::uint32_t> first_;
  int shift_;
};

/// Shots first .. first + count - 1.
template <class T>
void sample_batch(const Kernels<T>& kernels, const T* amplitudes, const BlockSearch& blocks, std::int64_t num_blocks,
                  std::size_t size, std::uint64_t key, std::int64_t first, std::int64_t count, int threads,
                  std::int64_t* out) {
  std::vector<std::uint32_t> places(std::size_t(kShotChunks * num_blocks));  // [chunk][block]
  const auto for_each_chunk = [&](const auto& body) {
    parallel_for(kShotChunks, threads, [&](std::int64_t chunk) {
      body(count * chunk / kShotChunks, count * (chunk + 1) / kShotChunks, places.data() + chunk * num_blocks);
    });
  };
  for_each_chunk([&](std::int64_t s, std::int64_t end, std::uint32_t* counts) {
    for (; s < end; ++s) {
      const std::size_t block = blocks.find(random_bits(key, std::uint64_t(first + s)));
      out[s] = std::int64_t(block);
      ++counts[block];
    }
  });
  std::vector<std::uint32_t> starts(num_blocks + 1, std::uint32_t(count));
  std::uint32_t start = 0;
  for (std::int64_t b = 0; b < num_blocks; ++b) {
    starts[b] = start;
    for (std::int64_t chunk = 0; chunk < kShotChunks; ++chunk)
      start += std::exchange(places[chunk * num_blocks + b], start);
  }
  AlignedBuffer buffer;
  std::uint32_t* const order = buffer.array<std::uint32_t>(std::size_t(count));
  for_each_chunk([&](std::int64_t s, std::int64_t end, std::uint32_t* next) {
    for (; s < end; ++s) order[next[out[s]]++] = std::uint32_t(s);
  });
  parallel_for((num_blocks + kBlocksPerChunk - 1) / kBlocksPerChunk, threads, [&](std::int64_t chunk) {
    double* const p = workspace().block.array<double>(size + kWindow);
    std::uint32_t* const steps = workspace().values.array<std::uint32_t>(size / kValuesPerStep + 1);
    for (std::int64_t b = chunk * kBlocksPerChunk; b < std::min(num_blocks, (chunk + 1) * kBlocksPerChunk); ++b) {
      if (starts[b] == starts[b + 1]) continue;
      kernels.abs_squared(amplitudes + 2 * std::size_t(b) * size, p, size);
      double sum = blocks.start(b);
      for (std::size_t j = 0; j < size; ++j) p[j] = sum += p[j];
      const std::size_t last = std::lower_bound(p, p + size, sum) - p;  // with a probability above zero
      const Guide guide(p, size, last, blocks.start(b), steps);
      for (std::uint32_t i = starts[b]; i < starts[b + 1]; ++i) {
        const double goal = uniform(random_bits(key, std::uint64_t(first + order[i]))) * blocks.total();
        out[order[i]] = b * std::int64_t(size) + std::int64_t(guide.find(goal));
      }
    }
  });
}

}  // namespace

template <class T>
void sample(const std::complex<T>* state, int num_qubits, std::uint64_t key, std::int64_t shots, int threads,
            std::int64_t* out) {
  const Kernels<T>& kernels = kernels_for<T>(kernel_table(current_isa()));
  const T* const amplitudes = reinterpret_cast<const T*>(state);
  const int bits = std::min(num_qubits, std::clamp(num_qubits - kBlockNumberBits, kMinSampleBlockBits, kMaxSampleBlockBits));
  const std::size_t size = std::size_t{1} << bits;
  const std::int64_t num_blocks = std::int64_t{1} << (num_qubits - bits);
  std::vector<double> sums(num_blocks);
  parallel_for((num_blocks + kBlocksPerChunk - 1) / kBlocksPerChunk, threads, [&](std::int64_t chunk) {
    for (std::int64_t b = chunk * kBlocksPerChunk; b < std::min(num_blocks, (chunk + 1) * kBlocksPerChunk); ++b)
      sums[b] = kernels.sum_squares(amplitudes + 2 * std::size_t(b) * size, size);
  });
  const BlockSearch blocks(std::move(sums));
  if (!(blocks.total() > 0) || !std::isfinite(blocks.total()))
    throw std::invalid_argument("The state to sample from must have a finite norm above zero.");
  // Their order is kept in memory, so no more shots at a time than a small part of the state.
  const std::int64_t batch = std::int64_t{1} << std::clamp(num_qubits - 2, 20, 31);
  for (std::int64_t first = 0; first < shots; first += batch)
    sample_batch(kernels, amplitudes, blocks, num_blocks, size, key, first, std::min(batch, shots - first), threads,
                 out + first);
}

#define QSIM_INSTANTIATE(T) \
  template void sample<T>(const std::complex<T>*, int, std::uint64_t, std::int64_t, int, std::int64_t*);
QSIM_INSTANTIATE(float)
QSIM_INSTANTIATE(double)
#undef QSIM_INSTANTIATE

}  // namespace qsim
