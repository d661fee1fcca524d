// Big instructions (PREPARE, dense matrices and permutations on many targets): the sub-amplitudes of a group are
// reached through tables of offsets, in a tile or in the whole state.
#pragma once

#include <algorithm>
#include <vector>

#include "bits.hpp"
#include "plan.hpp"
#include "threads.hpp"

namespace qsim {

template <class T>
struct TileAccess {  // real and imaginary parts apart
  T *re, *im;
  std::complex<T> load(std::uint64_t i) const { return {re[i], im[i]}; }
  void store(std::uint64_t i, std::complex<T> v) const {
    re[i] = v.real();
    im[i] = v.imag();
  }
};

template <class T>
struct StateAccess {
  std::complex<T>* amplitudes;
  std::complex<T> load(std::uint64_t i) const { return amplitudes[i]; }
  void store(std::uint64_t i, std::complex<T> v) const { amplitudes[i] = v; }
};

/// Where sub-amplitude j of a group lies: base + low[j mod 2^half] + high[j / 2^half].
class GroupIndex {
 public:
  GroupIndex(const int* positions, int k, std::uint64_t fixed, std::uint64_t ctrl_value, int total_bits)
      : half_((k + 1) / 2), ctrl_value_(ctrl_value) {
    low_ = table(positions, half_);
    high_ = table(positions + half_, k - half_);
    num_groups_ = std::int64_t{1} << (total_bits - popcount(fixed));
    free_ = ((std::uint64_t{1} << total_bits) - 1) & ~fixed;
  }
  std::uint64_t base(std::int64_t group) const { return deposit_bits(std::uint64_t(group), free_) | ctrl_value_; }
  std::uint64_t offset(std::int64_t j) const {
    return low_[std::size_t(j) & (low_.size() - 1)] | high_[std::size_t(j) >> half_];
  }
  std::int64_t num_groups() const { return num_groups_; }

 private:
  static std::vector<std::uint64_t> table(const int* positions, int bits) {
    std::vector<std::uint64_t> offsets(std::size_t{1} << bits, 0);
    for (int i = 0; i < bits; ++i)
      for (std::size_t j = 0; j < (std::size_t{1} << i); ++j)
        offsets[j + (std::size_t{1} << i)] = offsets[j] | (std::uint64_t{1} << positions[i]);
    return offsets;
  }
  int half_;
  std::uint64_t ctrl_value_, free_;
  std::int64_t num_groups_;
  std::vector<std::uint64_t> low_, high_;
};

constexpr std::int64_t kGroupBlock = 4096;  // sub-amplitudes per unit of work, and per partial sum

/// body(first, last) over blocks of [0, count).
template <class Body>
void for_each_block(std::int64_t count, int threads, const Body& body) {
  parallel_for((count + kGroupBlock - 1) / kGroupBlock, threads, [&](std::int64_t block) {
    body(block * kGroupBlock, std::min(count, (block + 1) * kGroupBlock));
  });
}

/// psi <- phase * (psi - 2 w (w^dagger psi))
template <class T, class Access>
void prepare_group(Access access, const GroupIndex& index, std::uint64_t base, const std::complex<double>* data,
                   std::int64_t dim, int threads) {
  const std::complex<double> phase = data[0];
  const std::complex<double>* w = data + 1;
  std::vector<std::complex<double>> partial((dim + kGroupBlock - 1) / kGroupBlock);
  for_each_block(dim, threads, [&](std::int64_t first, std::int64_t last) {
    double re = 0, im = 0;
    for (std::int64_t j = first; j < last; ++j) {
      const std::complex<T> v = access.load(base | index.offset(j));
      re += w[j].real() * v.real() + w[j].imag() * v.imag();
      im += w[j].real() * v.imag() - w[j].imag() * v.real();
    }
    partial[first / kGroupBlock] = {re, im};
  });
  double re = 0, im = 0;
  for (const std::complex<double>& sum : partial) {
    re += sum.real();
    im += sum.imag();
  }
  for_each_block(dim, threads, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t j = first; j < last; ++j) {
      const std::uint64_t at = base | index.offset(j);
      const std::complex<T> v = access.load(at);
      const double a = v.real() - 2 * (w[j].real() * re - w[j].imag() * im);
      const double b = v.imag() - 2 * (w[j].real() * im + w[j].imag() * re);
      access.store(at, {T(phase.real() * a - phase.imag() * b), T(phase.real() * b + phase.imag() * a)});
    }
  });
}

template <class T, class Access>
void permute_group(Access access, const GroupIndex& index, std::uint64_t base, const std::int32_t* sources,
                   const std::complex<double>* phases, std::int64_t dim, int threads, std::complex<T>* old) {
  for_each_block(dim, threads, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t j = first; j < last; ++j) old[j] = access.load(base | index.offset(j));
  });
  for_each_block(dim, threads, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t j = first; j < last; ++j) {
      const std::complex<T> v = old[sources[j]];
      const std::uint64_t at = base | index.offset(j);
      if (phases[j] == 1.0) {
        access.store(at, v);
      } else {
        const T c = T(phases[j].real()), s = T(phases[j].imag());
        access.store(at, {c * v.real() - s * v.imag(), c * v.imag() + s * v.real()});
      }
    }
  });
}

/// `count` <= 4 groups at once, so that the matrix is read once for all of them. x, y: (count, 2, dim).
template <class T, class Access>
void multiply_groups(Access access, const GroupIndex& index, std::int64_t first_group, int count, const T* matrix,
                     std::int64_t dim, const Kernels<T>& kernels, int lanes, int threads, T* x, T* y) {
  std::uint64_t bases[4] = {};
  for (int b = 0; b < count; ++b) bases[b] = index.base(first_group + b);
  for_each_block(dim, threads, [&](std::int64_t first, std::int64_t last) {
    for (int b = 0; b < count; ++b)
      for (std::int64_t j = first; j < last; ++j) {
        const std::complex<T> v = access.load(bases[b] | index.offset(j));
        x[2 * b * dim + j] = v.real();
        x[(2 * b + 1) * dim + j] = v.imag();
      }
  });
  const std::int64_t num_rows = dim / lanes;  // of registers
  const std::int64_t step = std::max<std::int64_t>(1, (std::int64_t{1} << 16) / dim);
  parallel_for((num_rows + step - 1) / step, threads, [&](std::int64_t block) {
    kernels.multiply(matrix, int(dim), x, y, count, int(block * step), int(std::min(num_rows, (block + 1) * step)));
  });
  for_each_block(dim, threads, [&](std::int64_t first, std::int64_t last) {
    for (int b = 0; b < count; ++b)
      for (std::int64_t j = first; j < last; ++j)
        access.store(bases[b] | index.offset(j), {y[2 * b * dim + j], y[(2 * b + 1) * dim + j]});
  });
}

/// `positions`, `ctrl_mask`, `ctrl_value` and `total_bits` count bits of the index that `access` takes.
template <class T, class Access>
void apply_groups(const Tape& tape, const PlannedOp& op, const void* coefficients, Access access,
                  const int* positions, std::uint64_t ctrl_mask, std::uint64_t ctrl_value, int total_bits,
                  const KernelTable& table, int threads) {
  const Instruction& instruction = *op.instruction;
  const int k = instruction.num_targets;
  const std::int64_t dim = std::int64_t{1} << k;
  std::uint64_t fixed = ctrl_mask;
  for (int i = 0; i < k; ++i) fixed |= std::uint64_t{1} << positions[i];
  const GroupIndex index(positions, k, fixed, ctrl_value, total_bits);
  const std::complex<double>* data = tape.constants.data() + instruction.data;
  const Pattern pattern = Pattern(instruction.pattern);
  const std::int64_t at_once = pattern == Pattern::kDense ? 4 : 1;
  const std::int64_t num_batches = (index.num_groups() + at_once - 1) / at_once;
  // Threads share out the groups if there are enough, else the sub-amplitudes inside each group.
  const bool many = num_batches >= threads;
  const int outer = many ? threads : 1, inner = many ? 1 : threads;
  parallel_for(num_batches, outer, [&](std::int64_t batch) {
    const std::int64_t group = batch * at_once;
    if (pattern == Pattern::kPrepare) {
      prepare_group<T>(access, index, index.base(group), data, dim, inner);
    } else if (pattern == Pattern::kPermutation) {
      const std::int32_t* sources = tape.targets(instruction) + k;
      AlignedBuffer local;
      AlignedBuffer& buffer = k > kMaxTileBits ? local : workspace().group;
      auto* old = buffer.array<std::complex<T>>(dim);
      permute_group<T>(access, index, index.base(group), sources, data, dim, inner, old);
    } else {
      const int count = int(std::min(at_once, index.num_groups() - group));
      T* const x = workspace().group.array<T>(4 * std::size_t(at_once) * dim);
      multiply_groups<T>(access, index, group, count, static_cast<const T*>(coefficients), dim,
                         kernels_for<T>(table), table.vector_bytes / int(sizeof(T)), inner, x,
                         x + 2 * at_once * dim);
    }
  });
}

}  // namespace qsim
