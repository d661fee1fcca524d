#include "pauli_sum.hpp"

#include <algorithm>
#include <numeric>
#include <stdexcept>
#include <string>
#include <tuple>

#include "bits.hpp"
#include "execute.hpp"
#include "pauli_subspaces.hpp"
#include "resident.hpp"
#include "threads.hpp"
#include "workspace.hpp"

namespace qsim {
namespace {

constexpr int kBlockBits = PauliSums::kBlockBits;
constexpr int kMaxCosetBits = Subspace::kMaxDimension;
constexpr std::uint64_t kBlockMask = (std::uint64_t{1} << kBlockBits) - 1;
constexpr int kFlipBytes = 1 << 15;    // flips of the lowest qubits read this much of the state, which stays in L1
constexpr int kSquareBytes = 1 << 13;  // of squared absolute values that are transformed together
constexpr std::size_t kFlipsAtOnce = 4;
constexpr std::int64_t kMaxChunks = 64;

/// totals[i] = sum over chunks of what body(chunk, sums) adds to sums[i], in the order of the chunks.
template <class Body>
void sum_chunks(std::int64_t num_chunks, int threads, std::size_t num_sums, double* totals, const Body& body) {
  std::fill(totals, totals + num_sums, 0.0);
  if (num_chunks == 1) return body(0, totals);
  AlignedBuffer buffer;
  double* const partial = buffer.array<double>(num_sums * num_chunks);
  std::fill(partial, partial + num_sums * num_chunks, 0.0);
  parallel_for(num_chunks, threads, [&](std::int64_t chunk) { body(chunk, partial + chunk * num_sums); });
  for (std::int64_t chunk = 0; chunk < num_chunks; ++chunk)
    for (std::size_t i = 0; i < num_sums; ++i) totals[i] += partial[chunk * num_sums + i];
}

/// Sums of signed products of blocks, for some strings, by lane.
template <class T>
class LaneSums {
 public:
  LaneSums(const KernelTable& table, std::size_t num_strings)
      : kernels_(kernels_for<T>(table).pauli), lanes_(std::size_t(table.vector_bytes) / sizeof(T)) {
    sums_ = workspace().sums.array<double>(num_strings * lanes_);
    std::fill(sums_, sums_ + num_strings * lanes_, 0.0);
  }

  /// Adds a block of values to strings, the first of which is number `place` here.
  void add(T* values, std::size_t size, const std::uint64_t* z_masks, std::size_t count, std::uint64_t base,
           std::size_t place) {
    if (count != 0) kernels_.add_signed_sums(values, size, z_masks, count, base, sums_ + place * lanes_);
  }

  /// Adds the block's share of sum_b (-1)^popcount(b & z) conj(psi[b ^ x]) psi[b] of every string of the groups: its
  /// real part where x & z has an even number of bits, else its imaginary part (the other part cancels). Blocks
  /// lie one after the other; bases[b] is the index of the first amplitude of block b in the state.
  void add_groups(const std::vector<PauliSums::Group>& groups, const std::uint64_t* z_masks, const T* re, const T* im,
                  std::size_t size, std::size_t num_blocks, const std::uint64_t* bases, std::size_t place) {
    T* const real = workspace().block.array<T>(2 * size);
    T* const imaginary = real + size;
    for (std::size_t b = 0; b < num_blocks; ++b) {
      std::size_t at = place;
      for (const PauliSums::Group& group : groups) {
        const std::size_t other = b ^ group.x_block;
        if (b <= other) {  // the pair (other, b) adds the same
          const std::size_t num_real = group.middle - group.first, num_imaginary = group.last - group.middle;
          kernels_.products(re + b * size, im + b * size, re + other * size, im + other * size, size,
                            group.x_mask & kBlockMask, num_real ? real : nullptr, num_imaginary ? imaginary : nullptr);
          add(real, size, z_masks + group.first, num_real, bases[b], at);
          add(imaginary, size, z_masks + group.middle, num_imaginary, bases[b], at + num_real);
        }
        at += group.size();
      }
      if ((b & 3) == 3) checkpoint();
    }
  }

  /// Sum over the lanes, with their signs. To be called once for each string.
  double total(std::size_t place, std::uint64_t z_mask) {
    double* const sums = sums_ + place * lanes_;
    for (std::size_t half = lanes_ / 2; half != 0; half /= 2)
      for (std::size_t i = 0; i < half; ++i)
        sums[i] = z_mask & half ? sums[i] - sums[i + half] : sums[i] + sums[i + half];
    return sums[0];
  }

 private:
  const PauliKernels<T>& kernels_;
  std::size_t lanes_;
  double* sums_;
};

/// From the sum of products to the value of the string: i^popcount(x & z), and pairs of blocks were added once.
double value_of(const PauliSums::Group& group, std::uint64_t z_mask, double sum) {
  const int power = popcount(group.x_mask & z_mask) & 3;
  return (power == 1 || power == 2 ? -sum : sum) * (group.x_block != 0 ? 2 : 1);
}

/// How many of so many flips to look at together, if all go in as few lots as possible.
std::size_t even_share(std::size_t num_flips) {
  const std::size_t lots = (num_flips + kFlipsAtOnce - 1) / kFlipsAtOnce;
  return (num_flips + lots - 1) / lots;
}

/// Sums of products of real numbers whose indices differ in one bit.
template <class T>
class FlipSums {
 public:
  FlipSums(const KernelTable& table, const std::uint64_t* bits, std::size_t num_bits)
      : kernels_(kernels_for<T>(table).pauli),
        lanes_(std::size_t(table.vector_bytes) / sizeof(T)),
        doubles_(std::size_t(table.vector_bytes) / sizeof(double)),
        bits_(bits),
        num_bits_(num_bits) {
    sums_ = workspace().flips.array<double>(num_bits * doubles_);
    std::fill(sums_, sums_ + num_bits * doubles_, 0.0);
  }
  /// One share out of num_shares, a power of two, of all `count` values.
  void add(const T* values, std::uint64_t count, std::uint64_t share = 0, std::uint64_t num_shares = 1) {
    for (std::size_t i = 0; i < num_bits_;) {
      const bool in_register = bits_[i] < lanes_;
      const std::uint64_t *const all = bits_ + num_bits_, *const low = std::lower_bound(bits_, all, lanes_);
      const int taken = int(even_share((in_register ? low : all) - (bits_ + i)));
      const std::uint64_t per_share = count / lanes_ / num_shares >> (in_register ? 0 : taken);
      kernels_.flip_sums(values, share * per_share, (share + 1) * per_share, bits_ + i, taken, sums_ + i * doubles_);
      i += taken;
    }
  }
  double total(std::size_t i) const {
    return std::accumulate(sums_ + i * doubles_, sums_ + (i + 1) * doubles_, 0.0);
  }

 private:
  const PauliKernels<T>& kernels_;
  std::size_t lanes_, doubles_;
  const std::uint64_t* bits_;
  std::size_t num_bits_;
  double* sums_;
};

/// Strings of Z alone and single X of low qubits in one pass, of higher qubits in further passes of a few each.
template <class T>
void add_diagonal_and_flips(const PauliSums& sums, const KernelTable& table, const T* amplitudes, int threads,
                            double* values) {
  const std::uint64_t num_numbers = std::uint64_t{2} << sums.num_qubits, run = kFlipBytes / sizeof(T);
  std::vector<std::uint64_t> bits;  // of the index of real numbers
  for (const PauliSums::Flip& flip : sums.flips) bits.push_back(2 * flip.bit);
  const std::size_t num_low = std::lower_bound(bits.begin(), bits.end(), run) - bits.begin();
  const std::size_t num_diagonal = sums.num_diagonal;
  std::vector<double> totals(num_diagonal + bits.size());
  const std::int64_t num_chunks = std::min(kMaxChunks, std::int64_t(num_numbers / (2 * run)));
  if (num_diagonal + num_low != 0)
    sum_chunks(num_chunks, threads, num_diagonal + num_low, totals.data(), [&](std::int64_t chunk, double* out) {
      LaneSums<T> diagonal(table, num_diagonal);
      FlipSums<T> flips(table, bits.data(), num_low);
      constexpr std::size_t kSize = kSquareBytes / sizeof(T);
      T* const squares = workspace().block.array<T>(kSize);
      const std::uint64_t end = num_numbers / num_chunks * (chunk + 1);
      for (std::uint64_t first = num_numbers / num_chunks * chunk; first < end; first += run) {
        flips.add(amplitudes + first, run);
        if (num_diagonal != 0)
          for (std::uint64_t i = first; i < first + run; i += 2 * kSize) {
            kernels_for<T>(table).pauli.squares(amplitudes + i, squares, kSize);
            diagonal.add(squares, kSize, sums.z_masks.data(), num_diagonal, i / 2, 0);
          }
        if (first / run % 16 == 15) checkpoint();
      }
      for (std::size_t s = 0; s < num_diagonal; ++s) out[s] = diagonal.total(s, sums.z_masks[s]);
      for (std::size_t i = 0; i < num_low; ++i) out[num_diagonal + i] = flips.total(i);
    });
  for (std::size_t i = num_low, taken; i < bits.size(); i += taken) {
    taken = even_share(bits.size() - i);
    sum_chunks(num_chunks, threads, taken, totals.data() + num_diagonal + i, [&](std::int64_t chunk, double* out) {
      FlipSums<T> flips(table, bits.data() + i, taken);
      flips.add(amplitudes, num_numbers, std::uint64_t(chunk), std::uint64_t(num_chunks));
      for (std::size_t k = 0; k < taken; ++k) out[k] = flips.total(k);
    });
  }
  std::copy_n(totals.data(), num_diagonal, values);
  for (std::size_t i = 0; i < bits.size(); ++i) values[sums.flips[i].string] = totals[num_diagonal + i];
}

template <class T>
void add_subspace(const PauliSums& sums, const Subspace& space, const KernelTable& table, const T* amplitudes,
                  int threads, double* values) {
  constexpr std::size_t kSize = kBlockMask + 1;
  const std::size_t num_blocks = std::size_t{1} << space.basis.size();
  const std::uint64_t free_bits = space.free_bits(sums.num_qubits);
  std::size_t num_strings = 0;
  for (const PauliSums::Group& group : space.groups) num_strings += group.size();
  std::vector<double> totals(num_strings);
  const std::int64_t num_cosets = std::int64_t{1} << popcount(free_bits);
  const std::int64_t num_chunks = std::min(kMaxChunks, num_cosets), per_chunk = num_cosets / num_chunks;
  sum_chunks(num_chunks, threads, num_strings, totals.data(), [&](std::int64_t chunk, double* out) {
    LaneSums<T> lane_sums(table, num_strings);
    T* const re = workspace().tile.array<T>(2 * kSize * num_blocks);
    T* const im = re + kSize * num_blocks;
    std::uint64_t bases[1 << kMaxCosetBits];
    for (std::int64_t coset = chunk * per_chunk; coset < (chunk + 1) * per_chunk; ++coset) {
      space.write_bases(deposit_bits(std::uint64_t(coset), free_bits) * kSize, bases);
      for (std::size_t b = 0; b < num_blocks; ++b)
        kernels_for<T>(table).split(amplitudes + 2 * bases[b], re + b * kSize, im + b * kSize, kSize);
      lane_sums.add_groups(space.groups, sums.z_masks.data(), re, im, kSize, num_blocks, bases, 0);
    }
    std::size_t place = 0;
    for (const PauliSums::Group& group : space.groups)
      for (std::size_t s = group.first; s < group.last; ++s, ++place)
        out[place] = lane_sums.total(place, sums.z_masks[s]);
  });
  std::size_t place = 0;
  for (const PauliSums::Group& group : space.groups)
    for (std::size_t s = group.first; s < group.last; ++s)
      values[s] = value_of(group, sums.z_masks[s], totals[place++]);
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
  const auto key = [&](std::size_t t) {
    return std::make_tuple(x_masks[t], parity(x_masks[t] & all_z_masks[t]), all_z_masks[t]);
  };
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return key(a) < key(b); });
  string_of_term_.resize(num_terms);
  for (std::size_t i = 0; i < num_terms; ++i) {
    const std::size_t t = order[i];
    const std::uint64_t x = x_masks[t], z = all_z_masks[t];
    if (i == 0 || x != x_masks[order[i - 1]] || z != z_masks.back()) {  // a new string
      const std::size_t s = z_masks.size();
      z_masks.push_back(z);
      if (x == 0) {
        ++num_diagonal;
      } else if (popcount(x) == 1 && z == 0) {
        flips.push_back({x, s});
      } else {
        if (groups.empty() || groups.back().x_mask != x) groups.push_back({x, x >> kBlockBits, s, s, s});
        groups.back().last = s + 1;
        if (parity(x & z) == 0) groups.back().middle = s + 1;
      }
    }
    string_of_term_[t] = z_masks.size() - 1;
  }
}

std::vector<double> PauliSums::coefficients_of(std::int64_t observable) const {
  std::vector<double> out(num_strings(), 0.0);
  for (std::int64_t t = offsets_[observable]; t < offsets_[observable + 1]; ++t) out[string_of_term_[t]] += coefficients_[t];
  return out;
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
void expectation_of_tile(const PauliSums& sums, const KernelTable& table, const T* re, const T* im,
                         std::size_t tile_size, double* out) {
  const std::size_t size = std::min<std::size_t>(kBlockMask + 1, tile_size), num_blocks = tile_size / size;
  const std::size_t num_flips = sums.flips.size();
  double* const values = workspace().values.array<double>(sums.num_strings());
  LaneSums<T> lane_sums(table, sums.num_strings());
  if (sums.num_diagonal != 0) {
    T* const squares = workspace().block.array<T>(2 * size);
    for (std::size_t b = 0; b < num_blocks; ++b) {
      const T *const a = re + b * size, *const c = im + b * size;
      kernels_for<T>(table).pauli.products(a, c, a, c, size, 0, squares, nullptr);
      lane_sums.add(squares, size, sums.z_masks.data(), sums.num_diagonal, b * size, 0);
    }
    for (std::size_t s = 0; s < sums.num_diagonal; ++s) values[s] = lane_sums.total(s, sums.z_masks[s]);
  }
  if (num_flips != 0) {
    std::uint64_t bits[kMaxTileBits];
    for (std::size_t i = 0; i < num_flips; ++i) bits[i] = sums.flips[i].bit;
    FlipSums<T> flips(table, bits, num_flips);
    flips.add(re, tile_size);
    flips.add(im, tile_size);
    for (std::size_t i = 0; i < num_flips; ++i) values[sums.flips[i].string] = flips.total(i);
  }
  if (!sums.groups.empty()) {
    std::uint64_t bases[std::size_t{1} << (kMaxTileBits - kBlockBits)];
    for (std::size_t b = 0; b < num_blocks; ++b) bases[b] = b * size;
    lane_sums.add_groups(sums.groups, sums.z_masks.data(), re, im, size, num_blocks, bases, sums.num_diagonal);
    std::size_t place = sums.num_diagonal;
    for (const PauliSums::Group& group : sums.groups)
      for (std::size_t s = group.first; s < group.last; ++s)
        values[s] = value_of(group, sums.z_masks[s], lane_sums.total(place++, sums.z_masks[s]));
  }
  sums.combine(values, out);
}

template <class T>
void expectation(const PauliSums& sums, const std::complex<T>* states, std::int64_t batch, int threads, double* out) {
  const KernelTable& table = kernel_table(current_isa());
  const std::size_t dim = std::size_t{1} << sums.num_qubits;
  const auto row_of = [&](std::int64_t row) { return reinterpret_cast<const T*>(states + row * dim); };
  if (sums.num_qubits <= kMaxTileBits) {  // threads share out rows
    const std::size_t size = std::max(dim, std::size_t(table.vector_bytes) / sizeof(T));
    parallel_for(batch, threads, [&](std::int64_t row) {
      T* const re = workspace().tile.array<T>(2 * size);
      T* const im = re + size;
      if (dim == size) {
        kernels_for<T>(table).split(row_of(row), re, im, size);
      } else {
        std::fill(re, re + 2 * size, T(0));
        for (std::size_t j = 0; j < dim; ++j) {
          re[j] = row_of(row)[2 * j];
          im[j] = row_of(row)[2 * j + 1];
        }
      }
      expectation_of_tile(sums, table, re, im, size, out + row * sums.num_observables());
    });
    return;
  }
  const std::vector<Subspace> subspaces = subspaces_of(sums.groups, sums.num_qubits);
  std::vector<double> values(sums.num_strings());
  for (std::int64_t row = 0; row < batch; ++row) {  // threads share out the blocks of one
    add_diagonal_and_flips(sums, table, row_of(row), threads, values.data());
    for (const Subspace& space : subspaces) add_subspace(sums, space, table, row_of(row), threads, values.data());
    sums.combine(values.data(), out + row * sums.num_observables());
  }
}

#define QSIM_INSTANTIATE(T)                                                                                  \
  template void expectation_of_tile<T>(const PauliSums&, const KernelTable&, const T*, const T*, std::size_t, \
                                       double*);                                                             \
  template void expectation<T>(const PauliSums&, const std::complex<T>*, std::int64_t, int, double*);
QSIM_INSTANTIATE(float)
QSIM_INSTANTIATE(double)
#undef QSIM_INSTANTIATE

}  // namespace qsim
