// Sums over blocks of amplitudes, always in double precision. A block is summed in one fixed order, so a result
// does not depend on which thread takes which block.
#pragma once

#include "tile.inl"

namespace qsim {
namespace {

constexpr int kDoubles = kNumLanes<double>;

/// The next register of doubles of p.
QSIM_INLINE Vector<double> load_double(const double* p) { return load(p); }
QSIM_INLINE Vector<double> load_double(const float* p) {
  VectorOf<float>::half half;
  __builtin_memcpy(&half, p, sizeof half);
  return __builtin_convertvector(half, Vector<double>);
}

template <class T>
void split_double(const T* amplitudes, double* re, double* im, std::size_t count) {
  std::size_t i = 0;
  for (; i + kDoubles <= count; i += kDoubles) {
    Vector<double> a, b;
    deinterleave(load_double(amplitudes + 2 * i), load_double(amplitudes + 2 * i + kDoubles), a, b);
    store(re + i, a);
    store(im + i, b);
  }
  for (; i < count; ++i) {
    re[i] = double(amplitudes[2 * i]);
    im[i] = double(amplitudes[2 * i + 1]);
  }
}

template <class T>
void abs_squared(const T* amplitudes, double* out, std::size_t count) {
  std::size_t i = 0;
  for (; i + kDoubles <= count; i += kDoubles) {
    Vector<double> a, b;
    deinterleave(load_double(amplitudes + 2 * i), load_double(amplitudes + 2 * i + kDoubles), a, b);
    store(out + i, a * a + b * b);
  }
  for (; i < count; ++i) {
    const double re = double(amplitudes[2 * i]), im = double(amplitudes[2 * i + 1]);
    out[i] = re * re + im * im;
  }
}

template <class T>
double sum_squares(const T* amplitudes, std::size_t count) {
  const std::size_t numbers = 2 * count;
  Vector<double> sums[4] = {};
  std::size_t i = 0;
  for (; i + 4 * kDoubles <= numbers; i += 4 * kDoubles)
    for (int k = 0; k < 4; ++k) {
      const Vector<double> v = load_double(amplitudes + i + k * kDoubles);
      sums[k] += v * v;
    }
  double sum = sum_lanes<double>((sums[0] + sums[1]) + (sums[2] + sums[3]));
  for (; i < numbers; ++i) sum += double(amplitudes[i]) * double(amplitudes[i]);
  return sum;
}

/// Adds sum of conj(a) * b to sum_re_im.
template <class T>
void inner_product(const T* a, const T* b, std::size_t count, double* sum_re_im) {
  Vector<double> re = {}, im = {};
  std::size_t i = 0;
  for (; i + kDoubles <= count; i += kDoubles) {
    Amplitudes<double> x, y;
    deinterleave(load_double(a + 2 * i), load_double(a + 2 * i + kDoubles), x.re, x.im);
    deinterleave(load_double(b + 2 * i), load_double(b + 2 * i + kDoubles), y.re, y.im);
    re += x.re * y.re + x.im * y.im;
    im += x.re * y.im - x.im * y.re;
  }
  double sum_re = sum_lanes<double>(re), sum_im = sum_lanes<double>(im);
  for (; i < count; ++i) {
    const double xr = double(a[2 * i]), xi = double(a[2 * i + 1]);
    const double yr = double(b[2 * i]), yi = double(b[2 * i + 1]);
    sum_re += xr * yr + xi * yi;
    sum_im += xr * yi - xi * yr;
  }
  sum_re_im[0] += sum_re;
  sum_re_im[1] += sum_im;
}

}  // namespace
}  // namespace qsim
