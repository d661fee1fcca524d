// Samples of basis states.
//
// Shot i looks up the i-th number of a stream in the cumulative probabilities, each block of amplitudes counting on from
// the sum of those before it. That alone says what is drawn. Shots are sorted by the group of blocks they fall into,
// so that the cumulative probabilities of a group are made once and stay in the cache, and come out in their own order.
#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <utility>
#include <vector>

#include "bits.hpp"
#include "execute.hpp"
#include "threads.hpp"
#include "workspace.hpp"

namespace qsim {
namespace {

constexpr int kMinBlockBits = 7, kMaxBlockBits = 12;
constexpr int kBlockNumberBits = 10;    // so many blocks, if their size allows
constexpr int kGroupBits = 16;          // half a megabyte of cumulative probabilities
constexpr std::size_t kValuesPerStep = 2;
constexpr std::int64_t kBlocksPerChunk = 16;
constexpr std::int64_t kShotsPerChunk = std::int64_t{1} << 16;
constexpr std::int64_t kShotsAtOnce = 256;
constexpr double kNever = std::numeric_limits<double>::max();  // no goal reaches it

/// A guide to values[0 .. count - 1], behind which there is room; `steps` has room for count / kValuesPerStep + 2.
Guide make_guide(const KernelTable& kernels, double* values, std::size_t count, double start, double end,
                 std::uint32_t* steps) {
  std::fill(values + count, values + count + kGuideWindow, kNever);
  const std::size_t num_steps = std::max<std::size_t>(1, count / kValuesPerStep);
  const double scale = end > start ? double(num_steps) / (end - start) : 0;
  kernels.fill_steps(values, count, start, scale, steps, num_steps);
  return {values, steps, num_steps, start, scale};
}

/// The blocks of a state, the cumulative probability at the end of each, and the group each belongs to.
template <class T>
class Blocks {
 public:
  Blocks(const Kernels<T>& kernels, const T* amplitudes, int num_qubits, int threads)
      : kernels_(kernels),
        amplitudes_(amplitudes),
        size_(std::size_t{1} << std::min(num_qubits, std::clamp(num_qubits - kBlockNumberBits, kMinBlockBits, kMaxBlockBits))),
        ends_((std::size_t{1} << num_qubits) / size_) {
    const std::int64_t count = std::int64_t(ends_.size());
    parallel_for((count + kBlocksPerChunk - 1) / kBlocksPerChunk, threads, [&](std::int64_t chunk) {
      for (std::int64_t b = chunk * kBlocksPerChunk; b < std::min(count, (chunk + 1) * kBlocksPerChunk); ++b)
        ends_[b] = kernels.sum_squares(amplitudes + 2 * std::size_t(b) * size_, size_);
    });
    for (std::size_t b = 1; b < ends_.size(); ++b) ends_[b] += ends_[b - 1];
    total_ = ends_.back();
    // Rounding may push a goal to the total: it belongs to the last block that adds anything.
    last_ = std::size_t(std::lower_bound(ends_.begin(), ends_.end(), total_) - ends_.begin());
  }
  std::size_t size() const { return size_; }
  std::size_t count() const { return ends_.size(); }
  double total() const { return total_; }
  double start(std::size_t block) const { return block == 0 ? 0.0 : ends_[block - 1]; }
  double end(std::size_t block) const { return ends_[block]; }
  /// What a goal has to stay below to be found in this block or one before it.
  double bound(std::size_t block) const { return block >= last_ ? kNever : ends_[block]; }

  /// Cumulative probabilities of a block, which grow to its bound at its last amplitude that is not zero.
  void accumulate(std::size_t block, double* values) const {
    kernels_.abs_squared(amplitudes_ + 2 * block * size_, values, size_);
    double* last = values + size_ - 1;
    while (last > values && *last == 0) --last;
    const double before = start(block);
    double sum = 0;
    for (double* p = values; p <= last; ++p) *p = before + (sum += *p);
    const double end = bound(block);  // rounding may get there early
    last = std::min(last, std::lower_bound(values, last, end));
    std::fill(last, values + size_, end);
  }

 private:
  const Kernels<T>& kernels_;
  const T* amplitudes_;
  std::size_t size_;
  std::vector<double> ends_;
  double total_ = 0;
  std::size_t last_ = 0;
};

/// Shots of a stream.
struct Shots {
  std::uint64_t key, first;
  double total;
};

/// Calls body(place of the first, count, places of the goals) for pieces of the shots [from, to), or of order[from, to).
template <class Body>
void find_shots(const KernelTable& kernels, const Shots& shots, const Guide& guide, const std::uint32_t* order,
                std::int64_t from, std::int64_t to, const Body& body) {
  double goals[kShotsAtOnce];
  std::uint32_t places[kShotsAtOnce];
  for (std::int64_t s = from; s < to; s += kShotsAtOnce) {
    const std::size_t count = std::size_t(std::min(to - s, kShotsAtOnce));
    kernels.draw_goals(shots.key, shots.first + (order ? 0 : std::uint64_t(s)), order ? order + s : nullptr, count,
                       shots.total, goals);
    kernels.find_places(guide, goals, count, places);
    body(s, count, places);
  }
}

template <class Body>
void for_each_chunk(std::int64_t count, int threads, const Body& body) {
  parallel_for((count + kShotsPerChunk - 1) / kShotsPerChunk, threads, [&](std::int64_t chunk) {
    body(chunk, chunk * kShotsPerChunk, std::min(count, (chunk + 1) * kShotsPerChunk));
  });
}

/// The order of shots by group: those of group g are order[starts[g] .. starts[g + 1] - 1].
template <class T>
std::vector<std::uint32_t> sort_by_group(const KernelTable& kernels, const Blocks<T>& blocks, std::size_t group_blocks,
                                         const Shots& shots, std::int64_t count, int threads, std::int64_t* groups,
                                         std::uint32_t* order) {
  const std::size_t num_groups = blocks.count() / group_blocks;
  std::vector<double> ends(num_groups + kGuideWindow);
  for (std::size_t g = 0; g < num_groups; ++g) ends[g] = blocks.bound((g + 1) * group_blocks - 1);
  std::vector<std::uint32_t> steps(num_groups / kValuesPerStep + 2);
  const Guide guide = make_guide(kernels, ends.data(), num_groups, 0, blocks.total(), steps.data());

  const std::size_t num_chunks = std::size_t((count + kShotsPerChunk - 1) / kShotsPerChunk);
  std::vector<std::uint32_t> places(num_chunks * num_groups);  // [chunk][group]
  for_each_chunk(count, threads, [&](std::int64_t chunk, std::int64_t from, std::int64_t to) {
    std::uint32_t* const counts = places.data() + std::size_t(chunk) * num_groups;
    find_shots(kernels, shots, guide, nullptr, from, to, [&](std::int64_t s, std::size_t some, const std::uint32_t* found) {
      for (std::size_t i = 0; i < some; ++i) {
        groups[s + std::int64_t(i)] = found[i];
        ++counts[found[i]];
      }
    });
  });
  std::vector<std::uint32_t> starts(num_groups + 1, std::uint32_t(count));
  std::uint32_t start = 0;
  for (std::size_t g = 0; g < num_groups; ++g) {
    starts[g] = start;
    for (std::size_t chunk = 0; chunk < num_chunks; ++chunk)
      start += std::exchange(places[chunk * num_groups + g], start);
  }
  for_each_chunk(count, threads, [&](std::int64_t chunk, std::int64_t s, std::int64_t to) {
    std::uint32_t* const next = places.data() + std::size_t(chunk) * num_groups;
    for (; s < to; ++s) order[next[groups[s]]++] = std::uint32_t(s);
  });
  return starts;
}

/// The amplitudes that the goals of shots in one group meet.
template <class T>
class Group {
 public:
  Group(const KernelTable& kernels, const Blocks<T>& blocks, std::size_t first_block, std::size_t num_blocks)
      : first_(std::int64_t(first_block * blocks.size())) {
    const std::size_t size = num_blocks * blocks.size();
    double* const values = workspace().block.array<double>(size + kGuideWindow);
    for (std::size_t b = 0; b < num_blocks; ++b) blocks.accumulate(first_block + b, values + b * blocks.size());
    guide_ = make_guide(kernels, values, size, blocks.start(first_block), blocks.end(first_block + num_blocks - 1),
                        workspace().values.array<std::uint32_t>(size / kValuesPerStep + 2));
  }
  void draw(const KernelTable& kernels, const Shots& shots, const std::uint32_t* order, std::int64_t from,
            std::int64_t to, std::int64_t* out) const {
    find_shots(kernels, shots, guide_, order, from, to, [&](std::int64_t s, std::size_t some, const std::uint32_t* found) {
      if (order)  // the next ones: they are far apart
        for (std::int64_t i = s + kShotsAtOnce; i < std::min(to, s + 2 * kShotsAtOnce); ++i)
          __builtin_prefetch(out + order[i], 1);
      for (std::size_t i = 0; i < some; ++i)
        out[order ? std::int64_t(order[s + std::int64_t(i)]) : s + std::int64_t(i)] = first_ + std::int64_t(found[i]);
    });
  }

 private:
  std::int64_t first_;
  Guide guide_;
};

}  // namespace

template <class T>
void sample(const std::complex<T>* state, int num_qubits, std::uint64_t key, std::int64_t shots, int threads,
            std::int64_t* out) {
  const KernelTable& kernels = kernel_table(current_isa());
  const Blocks<T> blocks(kernels_for<T>(kernels), reinterpret_cast<const T*>(state), num_qubits, threads);
  if (!(blocks.total() > 0) || !std::isfinite(blocks.total()))
    throw std::invalid_argument("The state to sample from must have a finite norm above zero.");
  const std::size_t most_blocks = std::max<std::size_t>(1, (std::size_t{1} << kGroupBits) / blocks.size());
  // Few shots meet few blocks.
  const std::size_t group_blocks =
      std::uint64_t(shots) < blocks.count() ? 1 : std::min(blocks.count(), most_blocks);
  const std::size_t num_groups = blocks.count() / group_blocks;
  if (num_groups == 1) {
    const Group<T> group(kernels, blocks, 0, group_blocks);
    for_each_chunk(shots, threads, [&](std::int64_t, std::int64_t from, std::int64_t to) {
      group.draw(kernels, {key, 0, blocks.total()}, nullptr, from, to, out);
    });
    return;
  }
  // Their order is kept in memory, so no more shots at a time than a small part of the state.
  const std::int64_t batch = std::int64_t{1} << std::clamp(num_qubits - 2, 20, 31);
  AlignedBuffer buffer;
  for (std::int64_t first = 0; first < shots; first += batch) {
    const std::int64_t count = std::min(batch, shots - first);
    const Shots some{key, std::uint64_t(first), blocks.total()};
    std::uint32_t* const order = buffer.array<std::uint32_t>(std::size_t(count));
    const auto starts = sort_by_group(kernels, blocks, group_blocks, some, count, threads, out + first, order);
    parallel_for(std::int64_t(num_groups), threads, [&](std::int64_t g) {
      if (starts[g] == starts[g + 1]) return;
      const Group<T> group(kernels, blocks, std::size_t(g) * group_blocks, group_blocks);
      group.draw(kernels, some, order, starts[g], starts[g + 1], out + first);
    });
  }
}

#define QSIM_INSTANTIATE(T) \
  template void sample<T>(const std::complex<T>*, int, std::uint64_t, std::int64_t, int, std::int64_t*);
QSIM_INSTANTIATE(float)
QSIM_INSTANTIATE(double)
#undef QSIM_INSTANTIATE

}  // namespace qsim
