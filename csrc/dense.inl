// Dense matrices on a tile: out[g] = sum over g', x of C[g, g', x] * exchange(v[g'], x), where g counts the
// registers of a group (high targets) and x the lane permutations (low targets). The coefficients may differ
// from lane to lane: that is how a target or a control inside a register is expressed.
#pragma once

#include "tile.inl"

namespace qsim {
namespace {

template <class T, class Layout, int High, int Low, bool Uniform>
void apply_dense(T* re, T* im, const TileOp& op, const T* coefficients, std::uint64_t, std::uint64_t first,
                 std::uint64_t last) {
  constexpr int G = 1 << High, X = 1 << Low;
  Amplitudes<T> c[G][G][X];
  Lanes<T> index[X];
  int pattern[X];
  std::uint64_t offset[G];
  for (int g = 0; g < G; ++g)
    for (int h = 0; h < G; ++h)
      for (int x = 0; x < X; ++x) c[g][h][x] = load_coefficient<T, Uniform>(coefficients, (g * G + h) * X + x);
  for (int x = 0; x < X; ++x) {
    pattern[x] = op.lane_xors[x];
    index[x] = lane_numbers<T>() ^ Integer<T>(pattern[x]);
  }
  for (int g = 0; g < G; ++g) offset[g] = op.offsets[g];
  const Lanes<T> controlled = controlled_lanes<T>(op);

  for_each_group(op, first, last, [&](std::uint64_t base) {
    Amplitudes<T> v[G][X];
#pragma GCC unroll 8
    for (int h = 0; h < G; ++h) {
      v[h][0] = Layout::load_register(re, im, base + offset[h]);
#pragma GCC unroll 8
      for (int x = 1; x < X; ++x) v[h][x] = exchange(v[h][0], pattern[x], index[x]);
    }
#pragma GCC unroll 8
    for (int g = 0; g < G; ++g) {
      Amplitudes<T> sum = times(c[g][0][0], v[0][0]);
#pragma GCC unroll 8
      for (int h = 0; h < G; ++h)
#pragma GCC unroll 8
        for (int x = (h == 0); x < X; ++x) {
          sum.re = sum.re + c[g][h][x].re * v[h][x].re - c[g][h][x].im * v[h][x].im;
          sum.im = sum.im + c[g][h][x].re * v[h][x].im + c[g][h][x].im * v[h][x].re;
        }
      Layout::store_register(re, im, base + offset[g], Uniform ? sum : select<T>(controlled, sum, v[g][0]));
    }
  });
}

/// Rows g .. g + Rows - 1 of one group; `columns` holds v[h][x] as (h * X + x). The products with imaginary
/// coefficients are summed apart: half as long chains of dependent multiply-adds.
template <class T, class Layout, bool Uniform, int Rows>
QSIM_INLINE void dense_rows(T* re, T* im, const TileOp& op, const T* coefficients, std::uint64_t base, int g,
                            const Amplitudes<T>* columns, int num_columns) {
  const Lanes<T> controlled = controlled_lanes<T>(op);
  const int exchanges = 1 << op.num_low;
  Amplitudes<T> real[Rows] = {}, imaginary[Rows] = {};
  for (int j = 0; j < num_columns; ++j) {
    const Amplitudes<T> v = columns[j];
#pragma GCC unroll 4
    for (int r = 0; r < Rows; ++r) {
      const Amplitudes<T> c = load_coefficient<T, Uniform>(coefficients, std::size_t(g + r) * num_columns + j);
      real[r].re += c.re * v.re;
      real[r].im += c.re * v.im;
      imaginary[r].re += c.im * v.im;
      imaginary[r].im += c.im * v.re;
    }
  }
#pragma GCC unroll 4
  for (int r = 0; r < Rows; ++r) {
    const Amplitudes<T> sum = {real[r].re - imaginary[r].re, real[r].im + imaginary[r].im};
    const Amplitudes<T>& own = columns[(g + r) * exchanges];
    Layout::store_register(re, im, base + op.offsets[g + r], Uniform ? sum : select<T>(controlled, sum, own));
  }
}

/// Up to kMaxFastTargets targets, anywhere.
template <class T, class Layout, bool Uniform>
void apply_dense_any(T* re, T* im, const TileOp& op, const T* coefficients, std::uint64_t, std::uint64_t first,
                 std::uint64_t last) {
  const int G = 1 << op.num_high, X = 1 << op.num_low;
  Lanes<T> index[kMaxLanes];
  for (int x = 0; x < X; ++x) index[x] = lane_numbers<T>() ^ Integer<T>(op.lane_xors[x]);
  for_each_group(op, first, last, [&](std::uint64_t base) {
    Amplitudes<T> columns[kMaxGroup];
    for (int h = 0; h < G; ++h) {
      const Amplitudes<T> v = Layout::load_register(re, im, base + op.offsets[h]);
      columns[h * X] = v;
      for (int x = 1; x < X; ++x) columns[h * X + x] = exchange(v, op.lane_xors[x], index[x]);
    }
    int g = 0;
    for (; g + 4 <= G; g += 4) dense_rows<T, Layout, Uniform, 4>(re, im, op, coefficients, base, g, columns, G * X);
    for (; g < G; ++g) dense_rows<T, Layout, Uniform, 1>(re, im, op, coefficients, base, g, columns, G * X);
  });
}

/// Registers first_row .. last_row - 1 of y[b] = M x[b]. M is packed register by register: for each column the
/// real parts of one register of rows, then the imaginary parts.
template <class T, int Count>
QSIM_INLINE void multiply_vectors(const T* matrix, int dim, const T* x, T* y, int first_row, int last_row) {
  constexpr int W = kNumLanes<T>;
  for (int row = first_row; row < last_row; ++row) {
    const T* m = matrix + std::size_t(row) * dim * 2 * W;
    Amplitudes<T> sum[Count] = {};
    for (int column = 0; column < dim; ++column, m += 2 * W) {
      const Amplitudes<T> c = {load(m), load(m + W)};
#pragma GCC unroll 4
      for (int b = 0; b < Count; ++b) {
        const Vector<T> re = broadcast<T>(x[(2 * b) * std::size_t(dim) + column]);
        const Vector<T> im = broadcast<T>(x[(2 * b + 1) * std::size_t(dim) + column]);
        sum[b].re = sum[b].re + c.re * re - c.im * im;
        sum[b].im = sum[b].im + c.re * im + c.im * re;
      }
    }
    for (int b = 0; b < Count; ++b) {
      store(y + (2 * b) * std::size_t(dim) + row * W, sum[b].re);
      store(y + (2 * b + 1) * std::size_t(dim) + row * W, sum[b].im);
    }
  }
}

template <class T>
void multiply(const T* matrix, int dim, const T* x, T* y, int count, int first_row, int last_row) {
  switch (count) {
    case 1: return multiply_vectors<T, 1>(matrix, dim, x, y, first_row, last_row);
    case 2: return multiply_vectors<T, 2>(matrix, dim, x, y, first_row, last_row);
    case 3: return multiply_vectors<T, 3>(matrix, dim, x, y, first_row, last_row);
    default: return multiply_vectors<T, 4>(matrix, dim, x, y, first_row, last_row);
  }
}

}  // namespace
}  // namespace qsim
