// Fills the table of one instruction set; included last by isa/<name>.cpp.
#include "../kernel_table.hpp"

namespace qsim {
namespace {

template <class T>
constexpr TileKernels<T> make_tile_kernels() {
  TileKernels<T> table{};
  table.split = split<T>;
  table.join = join<T>;
  table.apply_diagonal = apply_diagonal<T>;
  table.apply_diagonal_table = apply_diagonal_table<T>;
  table.apply_permutation = apply_permutation<T>;
  table.apply_swap = apply_swap<T>;
  table.apply_dense[1][0][0] = apply_dense<T, 1, 0, false>;
  table.apply_dense[1][0][1] = apply_dense<T, 1, 0, true>;
  table.apply_dense[0][1][0] = apply_dense<T, 0, 1, false>;
  table.apply_dense[2][0][0] = apply_dense<T, 2, 0, false>;
  table.apply_dense[2][0][1] = apply_dense<T, 2, 0, true>;
  table.apply_dense[1][1][0] = apply_dense<T, 1, 1, false>;
  table.apply_dense[0][2][0] = apply_dense<T, 0, 2, false>;
  table.apply_dense_any[0] = apply_dense_any<T, false>;
  table.apply_dense_any[1] = apply_dense_any<T, true>;
  table.apply_pauli_rotation = apply_pauli_rotation<T>;
  table.multiply = multiply<T>;
  table.split_double = split_double<T>;
  table.abs_squared = abs_squared<T>;
  table.sum_squares = sum_squares<T>;
  table.inner_product = inner_product<T>;
  return table;
}

}  // namespace

extern const KernelTable QSIM_ISA_TABLE;
const KernelTable QSIM_ISA_TABLE = {QSIM_ISA_NAME,
                                    QSIM_VECTOR_BYTES,
                                    make_tile_kernels<float>(),
                                    make_tile_kernels<double>(),
                                    pauli_products,
                                    signed_sum,
                                    walsh_hadamard};

}  // namespace qsim
