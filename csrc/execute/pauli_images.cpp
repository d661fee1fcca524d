// Pauli sums applied to states: out = O psi.
#include <algorithm>

#include "execute.hpp"
#include "pauli_subspaces.hpp"
#include "threads.hpp"
#include "workspace.hpp"

namespace qsim {
namespace {

/// Strings of one observable that flip the same qubits, with the signs of i^popcount(x & z) in the coefficients; those
/// of odd power are `turned`: a factor -i is left.
struct Part {
  std::vector<std::uint64_t> z_masks;
  std::vector<double> coefficients;
};
struct Image {
  std::uint64_t x_mask, x_block;
  Part parts[2];  // [turned]
};

/// The images of one observable; with group.first as their number the groups say which subspaces they need.
std::vector<Image> images_of(const PauliSums& sums, std::int64_t observable, std::vector<PauliSums::Group>& groups) {
  const std::vector<double> coefficients = sums.coefficients_of(observable);
  std::vector<Image> out;
  const auto add = [&](std::uint64_t x, std::size_t first, std::size_t last) {
    Image image{x, x >> PauliSums::kBlockBits, {}};
    for (std::size_t s = first; s < last; ++s) {
      if (coefficients[s] == 0) continue;
      const std::uint64_t z = sums.z_masks[s];
      const int power = popcount(x & z) & 3;  // of -i
      Part& part = image.parts[power & 1];
      part.z_masks.push_back(z);
      part.coefficients.push_back(power < 2 ? coefficients[s] : -coefficients[s]);
    }
    if (image.parts[0].z_masks.empty() && image.parts[1].z_masks.empty()) return;
    groups.push_back({x, image.x_block, out.size(), out.size(), out.size() + 1});
    out.push_back(std::move(image));
  };
  add(0, 0, sums.num_diagonal);
  for (const PauliSums::Flip& flip : sums.flips) add(flip.bit, flip.string, flip.string + 1);
  for (const PauliSums::Group& group : sums.groups) add(group.x_mask, group.first, group.last);
  return out;
}

/// Blocks of a state, real and imaginary parts apart, and of its image.
template <class T>
struct Blocks {
  Blocks(std::size_t num_blocks, std::size_t block_size) : size(block_size) {
    re = workspace().tile.array<T>(4 * num_blocks * size);
    im = re + num_blocks * size;
    out_re = im + num_blocks * size;
    out_im = out_re + num_blocks * size;
    table = workspace().block.array<T>(size);
  }
  const std::size_t size;
  T *re, *im, *out_re, *out_im, *table;
};

/// Adds to the image of block b, which begins at amplitude `base`, what an observable's strings of one x bring there
/// from block `other`.
template <class T>
void add_image(const PauliKernels<T>& kernels, const Image& image, const Blocks<T>& blocks, std::size_t b,
               std::size_t other, std::uint64_t base) {
  for (int turned = 0; turned < 2; ++turned) {
    const Part& part = image.parts[turned];
    if (part.z_masks.empty()) continue;
    const std::size_t size = blocks.size;
    const bool constant = part.z_masks.size() == 1 && (part.z_masks[0] & (size - 1)) == 0;
    double scale = 1;
    if (constant)
      scale = parity(part.z_masks[0] & base) ? -part.coefficients[0] : part.coefficients[0];
    else
      kernels.signed_table(part.z_masks.data(), part.coefficients.data(), part.z_masks.size(), base, size, blocks.table);
    kernels.add_products(blocks.re + other * size, blocks.im + other * size, size, image.x_mask & (size - 1),
                         constant ? nullptr : blocks.table, T(scale), turned != 0, blocks.out_re + b * size,
                         blocks.out_im + b * size);
  }
}

/// One state of at most a block, or of less than a register.
template <class T>
void apply_to_block(const KernelTable& table, const std::vector<Image>& images, const T* state, std::size_t dim, T* out) {
  const Kernels<T>& kernels = kernels_for<T>(table);
  const std::size_t size = std::max(dim, std::size_t(table.vector_bytes) / sizeof(T));
  const Blocks<T> blocks(1, size);
  std::fill_n(blocks.re, 4 * size, T(0));
  for (std::size_t j = 0; j < dim; ++j) {
    blocks.re[j] = state[2 * j];
    blocks.im[j] = state[2 * j + 1];
  }
  for (const Image& image : images) add_image(kernels.pauli, image, blocks, 0, 0, 0);
  for (std::size_t j = 0; j < dim; ++j) {
    out[2 * j] = blocks.out_re[j];
    out[2 * j + 1] = blocks.out_im[j];
  }
}

/// The images of one subspace, added to what `out` holds unless they are the first.
template <class T>
void apply_subspace(const KernelTable& table, const Subspace& space, const std::vector<Image>& images, int num_qubits,
                    const T* state, bool first, int threads, T* out) {
  constexpr std::size_t kSize = std::size_t{1} << PauliSums::kBlockBits;
  const Kernels<T>& kernels = kernels_for<T>(table);
  const std::size_t num_blocks = std::size_t{1} << space.basis.size();
  const std::uint64_t free_bits = space.free_bits(num_qubits);
  parallel_for(std::int64_t{1} << popcount(free_bits), threads, [&](std::int64_t coset) {
    const Blocks<T> blocks(num_blocks, kSize);
    std::uint64_t bases[1 << Subspace::kMaxDimension];
    space.write_bases(deposit_bits(std::uint64_t(coset), free_bits) * kSize, bases);
    for (std::size_t b = 0; b < num_blocks; ++b) {
      kernels.split(state + 2 * bases[b], blocks.re + b * kSize, blocks.im + b * kSize, kSize);
      if (!first) kernels.split(out + 2 * bases[b], blocks.out_re + b * kSize, blocks.out_im + b * kSize, kSize);
    }
    if (first) std::fill_n(blocks.out_re, 2 * num_blocks * kSize, T(0));
    for (std::size_t b = 0; b < num_blocks; ++b) {
      for (const PauliSums::Group& group : space.groups)
        add_image(kernels.pauli, images[group.first], blocks, b, b ^ group.x_block, bases[b]);
      kernels.join(blocks.out_re + b * kSize, blocks.out_im + b * kSize, out + 2 * bases[b], kSize, nullptr);
      if (b % 4 == 3) checkpoint();
    }
  });
}

}  // namespace

template <class T>
void apply_paulis(const PauliSums& sums, const std::complex<T>* states, std::int64_t batch, int threads,
                  std::complex<T>* out) {
  const KernelTable& table = kernel_table(current_isa());
  const std::size_t dim = std::size_t{1} << sums.num_qubits;
  const std::int64_t count = sums.num_observables();
  const bool many = sums.num_qubits <= kMaxTileBits;  // threads share out rows, else blocks
  for (std::int64_t k = 0; k < count; ++k) {
    std::vector<PauliSums::Group> groups;
    const std::vector<Image> images = images_of(sums, k, groups);
    std::vector<Subspace> subspaces;
    if (sums.num_qubits > PauliSums::kBlockBits) subspaces = subspaces_of(groups, sums.num_qubits);
    parallel_for(batch, many ? threads : 1, [&](std::int64_t row) {
      const T* const state = reinterpret_cast<const T*>(states + std::size_t(row) * dim);
      T* const own = reinterpret_cast<T*>(out + std::size_t(row * count + k) * dim);
      if (images.empty()) {
        std::fill_n(own, 2 * dim, T(0));
      } else if (subspaces.empty()) {
        apply_to_block(table, images, state, dim, own);
      } else {
        for (std::size_t s = 0; s < subspaces.size(); ++s)
          apply_subspace(table, subspaces[s], images, sums.num_qubits, state, s == 0, many ? 1 : threads, own);
      }
    });
  }
}

template void apply_paulis<float>(const PauliSums&, const std::complex<float>*, std::int64_t, int, std::complex<float>*);
template void apply_paulis<double>(const PauliSums&, const std::complex<double>*, std::int64_t, int,
                                   std::complex<double>*);

}  // namespace qsim
