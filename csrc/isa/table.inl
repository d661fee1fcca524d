// Fills the table of one instruction set; included last by isa/<name>.cpp.
#include "../kernel_table.hpp"

namespace qsim {
namespace {

template <class T, class Layout>
constexpr TileKernels<T> make_tile_kernels() {
  TileKernels<T> table{};
  table.apply_diagonal = apply_diagonal<T, Layout>;
  table.apply_permutation = apply_permutation<T, Layout>;
  table.apply_swap = apply_swap<T, Layout>;
  table.apply_dense[1][0][0] = apply_dense<T, Layout, 1, 0, false>;
  table.apply_dense[1][0][1] = apply_dense<T, Layout, 1, 0, true>;
  table.apply_dense[0][1][0] = apply_dense<T, Layout, 0, 1, false>;
  table.apply_dense[2][0][0] = apply_dense<T, Layout, 2, 0, false>;
  table.apply_dense[2][0][1] = apply_dense<T, Layout, 2, 0, true>;
  table.apply_dense[1][1][0] = apply_dense<T, Layout, 1, 1, false>;
  table.apply_dense[0][2][0] = apply_dense<T, Layout, 0, 2, false>;
  table.apply_dense[3][0][0] = apply_dense<T, Layout, 3, 0, false>;
  table.apply_dense[3][0][1] = apply_dense<T, Layout, 3, 0, true>;
  table.apply_dense[2][1][0] = apply_dense<T, Layout, 2, 1, false>;
  table.apply_dense[1][2][0] = apply_dense<T, Layout, 1, 2, false>;
  if constexpr (kNumLanes<T> >= 8) table.apply_dense[0][3][0] = apply_dense<T, Layout, 0, 3, false>;
  table.apply_dense_any[0] = apply_dense_any<T, Layout, false>;
  table.apply_dense_any[1] = apply_dense_any<T, Layout, true>;
  table.apply_pauli_rotation = apply_pauli_rotation<T, Layout>;
  return table;
}

template <class T>
constexpr Kernels<T> make_kernels() {
  return {make_tile_kernels<T, Split>(),
          make_tile_kernels<T, Interleaved>(),
          make_fused_kernels<T>(),
          apply_diagonal_table<T>,
          split<T>,
          join<T>,
          multiply<T>,
          abs_squared<T>,
          sum_squares<T>,
          inner_product<T>,
          {squares<T>, pauli_products<T>, add_signed_sums<T>, signed_table<T>, add_pauli_products<T>, flip_sums<T>},
          make_lane_kernels<T>(),
          multiply_add<T>};
}

}  // namespace

extern const KernelTable QSIM_ISA_TABLE;
const KernelTable QSIM_ISA_TABLE = {QSIM_ISA_NAME, QSIM_VECTOR_BYTES, make_kernels<float>(), make_kernels<double>(),
                                    draw_goals, fill_steps, find_places, sum_over_bits};

}  // namespace qsim
