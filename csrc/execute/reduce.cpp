// Norms, inner products, collapse, basis states: passes over the state in chunks that do not depend on the
// number of threads.
#include <algorithm>
#include <chrono>
#include <cstring>
#include <vector>

#include "bits.hpp"
#include "execute.hpp"
#include "threads.hpp"
#include "workspace.hpp"

namespace qsim {
namespace {

constexpr int kChunkBits = 12;    // amplitudes of one partial sum
constexpr int kSumsPerChunk = 64; // partial sums a thread takes at once

/// sum over blocks of 2^kChunkBits amplitudes of block_sum(first, count), in order.
template <class Sum, class BlockSum>
Sum sum_blocks(int num_qubits, int threads, const BlockSum& block_sum) {
  const int bits = std::min(num_qubits, kChunkBits);
  const std::size_t count = std::size_t{1} << bits;
  const std::int64_t num_blocks = std::int64_t{1} << (num_qubits - bits);
  if (num_blocks == 1) return block_sum(0, count);
  std::vector<Sum> partial(num_blocks);
  parallel_for((num_blocks + kSumsPerChunk - 1) / kSumsPerChunk, threads, [&](std::int64_t chunk) {
    for (std::int64_t b = chunk * kSumsPerChunk; b < std::min(num_blocks, (chunk + 1) * kSumsPerChunk); ++b)
      partial[b] = block_sum(std::size_t(b) * count, count);
  });
  Sum sum{};
  for (const Sum& part : partial) sum += part;
  return sum;
}

template <class T>
const T* numbers(const std::complex<T>* amplitudes) {
  return reinterpret_cast<const T*>(amplitudes);
}

/// Threads for the rows of a batch, and for the amplitudes of each row.
struct Shares {
  int rows, amplitudes;
};
Shares shares(int num_qubits, std::int64_t batch, int threads) {
  return batch >= threads && num_qubits <= 20 ? Shares{threads, 1} : Shares{1, threads};
}

}  // namespace

template <class T>
void norm_squared(const std::complex<T>* states, int num_qubits, std::int64_t batch, int threads, double* out) {
  const Kernels<T>& kernels = kernels_for<T>(kernel_table(current_isa()));
  const Shares share = shares(num_qubits, batch, threads);
  parallel_for(batch, share.rows, [&](std::int64_t row) {
    const std::complex<T>* state = states + (std::size_t(row) << num_qubits);
    out[row] = sum_blocks<double>(num_qubits, share.amplitudes, [&](std::size_t first, std::size_t count) {
      return kernels.sum_squares(numbers(state + first), count);
    });
  });
}

template <class T>
void inner_products(const std::complex<T>* a, const std::complex<T>* b, int num_qubits, std::int64_t batch,
                    int threads, std::complex<double>* out) {
  const Kernels<T>& kernels = kernels_for<T>(kernel_table(current_isa()));
  const Shares share = shares(num_qubits, batch, threads);
  parallel_for(batch, share.rows, [&](std::int64_t row) {
    const std::size_t start = std::size_t(row) << num_qubits;
    out[row] = sum_blocks<std::complex<double>>(
        num_qubits, share.amplitudes, [&](std::size_t first, std::size_t count) {
          double sum[2] = {};
          kernels.inner_product(numbers(a + start + first), numbers(b + start + first), count, sum);
          return std::complex<double>(sum[0], sum[1]);
        });
  });
}

template <class T>
double probability(const std::complex<T>* state, int num_qubits, std::uint64_t mask, std::uint64_t value,
                   int threads) {
  const Kernels<T>& kernels = kernels_for<T>(kernel_table(current_isa()));
  const std::size_t low = (std::size_t{1} << std::min(num_qubits, kChunkBits)) - 1;
  const std::size_t run = (mask & low) == 0 ? low + 1 : std::size_t{1} << __builtin_ctzll(mask);
  return sum_blocks<double>(num_qubits, threads, [&](std::size_t first, std::size_t count) {
    double sum = 0;
    if ((first & mask & ~low) != (value & ~low)) return sum;
    for (std::size_t i = first; i < first + count; i += run)  // runs of amplitudes that agree in the mask
      if ((i & mask) == value) {
        if (run >= 8) {
          sum += kernels.sum_squares(numbers(state + i), run);
        } else {
          for (std::size_t j = i; j < i + run; ++j) {
            const double re = double(state[j].real()), im = double(state[j].imag());
            sum += re * re + im * im;
          }
        }
      }
    return sum;
  });
}

template <class T>
void collapse(std::complex<T>* state, int num_qubits, std::uint64_t mask, std::uint64_t value, double scale,
              int threads) {
  const int bits = std::min(num_qubits, 14);
  const std::size_t count = std::size_t{1} << bits;
  const std::size_t run = (mask & (count - 1)) == 0 ? count : std::size_t{1} << __builtin_ctzll(mask);
  const T factor = T(scale);
  parallel_for(std::int64_t{1} << (num_qubits - bits), threads, [&](std::int64_t block) {
    const std::size_t first = std::size_t(block) * count;
    for (std::size_t i = first; i < first + count; i += run) {
      T* const p = reinterpret_cast<T*>(state + i);
      if ((i & mask) == value) {
        for (std::size_t j = 0; j < 2 * run; ++j) p[j] *= factor;
      } else {
        for (std::size_t j = 0; j < 2 * run; ++j) p[j] = T(0);
      }
    }
  });
}

template <class T>
void set_basis_state(std::complex<T>* states, int num_qubits, std::int64_t batch, std::uint64_t index, int threads) {
  const std::size_t dim = std::size_t{1} << num_qubits;
  const std::size_t total = dim * std::size_t(batch), block = std::size_t{1} << 16;
  parallel_for(std::int64_t((total + block - 1) / block), threads, [&](std::int64_t chunk) {
    const std::size_t first = std::size_t(chunk) * block, last = std::min(total, first + block);
    std::memset(static_cast<void*>(states + first), 0, (last - first) * sizeof(*states));
  });
  for (std::int64_t row = 0; row < batch; ++row) states[std::size_t(row) * dim + index] = T(1);
}

double copy_bandwidth(std::size_t bytes, int threads) {
  const std::size_t count = std::max<std::size_t>(bytes / 16 / 8 * 8, 8);
  AlignedBuffer target_buffer, source_buffer;
  double* const target = target_buffer.array<double>(count);
  double* const source = source_buffer.array<double>(count);
  const auto for_each_share = [&](const auto& body) {
    parallel_for(threads, threads, [&](std::int64_t t) {
      body(count / 8 * t / threads * 8, count / 8 * (t + 1) / threads * 8);
    });
  };
  for_each_share([&](std::size_t first, std::size_t last) {
    std::fill(target + first, target + last, 1.0);
    std::fill(source + first, source + last, 2.0);
  });
  const int repetitions = int(1 + std::size_t(1e9) / (bytes * 4 + 1));
  double best = 0;
  for (int trial = 0; trial < 5; ++trial) {
    const auto start = std::chrono::steady_clock::now();
    for (int r = 0; r < repetitions; ++r)
      for_each_share([&](std::size_t first, std::size_t last) {
        std::memcpy(target + first, source + first, (last - first) * sizeof(double));
        __asm__ volatile("" ::: "memory");
      });
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    best = std::max(best, double(count) * 16 * repetitions / seconds);
  }
  return best;
}

template <class T>
double peak_flops(int threads) {
  const KernelTable& table = kernel_table(current_isa());
  const auto multiply_add = kernels_for<T>(table).multiply_add;
  constexpr std::int64_t kRounds = 1 << 16;
  const std::int64_t chunks = 8 * std::int64_t(threads);
  std::vector<double> sums(std::size_t(chunks), 0.0);
  double best = 0;
  for (int trial = 0; trial < 8; ++trial) {
    const auto start = std::chrono::steady_clock::now();
    parallel_for(chunks, threads, [&](std::int64_t c) { sums[std::size_t(c)] = multiply_add(kRounds); });
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    const double lanes = table.vector_bytes / double(sizeof(T));
    best = std::max(best, 2.0 * kPeakChains * lanes * double(kRounds * chunks) / seconds);
  }
  return sums.front() > 0 ? best : 0;
}

#define QSIM_INSTANTIATE(T)                                                                                          \
  template void norm_squared<T>(const std::complex<T>*, int, std::int64_t, int, double*);                            \
  template void inner_products<T>(const std::complex<T>*, const std::complex<T>*, int, std::int64_t, int,            \
                                  std::complex<double>*);                                                            \
  template double probability<T>(const std::complex<T>*, int, std::uint64_t, std::uint64_t, int);                    \
  template double peak_flops<T>(int);                                                                                \
  template void collapse<T>(std::complex<T>*, int, std::uint64_t, std::uint64_t, double, int);                       \
  template void set_basis_state<T>(std::complex<T>*, int, std::int64_t, std::uint64_t, int);
QSIM_INSTANTIATE(float)
QSIM_INSTANTIATE(double)
#undef QSIM_INSTANTIATE

}  // namespace qsim
