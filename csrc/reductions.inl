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

template <bool Real, bool Imaginary>
QSIM_INLINE void products(const double* a_re, const double* a_im, const double* b_re, const double* b_im,
                          std::size_t count, std::size_t x, double* re, double* im) {
  const int x_low = int(x % kDoubles);
  const std::size_t x_high = x / kDoubles;
  const Lanes<double> index = lane_numbers<double>() ^ Integer<double>(x_low);
  for (std::size_t r = 0; r < count / kDoubles; ++r) {
    const Amplitudes<double> a = Split::load_register(a_re, a_im, r);
    Amplitudes<double> b = Split::load_register(b_re, b_im, r ^ x_high);
    if (x_low != 0) b = exchange(b, x_low, index);
    if constexpr (Real) store(re + r * kDoubles, b.re * a.re + b.im * a.im);
    if constexpr (Imaginary) store(im + r * kDoubles, b.re * a.im - b.im * a.re);
  }
}

void pauli_products(const double* a_re, const double* a_im, const double* b_re, const double* b_im,
                    std::size_t count, std::size_t x, double* re, double* im) {
  if (im == nullptr) {
    products<true, false>(a_re, a_im, b_re, b_im, count, x, re, im);
  } else if (re == nullptr) {
    products<false, true>(a_re, a_im, b_re, b_im, count, x, re, im);
  } else {
    products<true, true>(a_re, a_im, b_re, b_im, count, x, re, im);
  }
}

/// Four sums at once hide the latency of the addition; register r always goes to sum r mod 4.
double signed_sum(const double* values, std::size_t count, std::size_t z) {
  const unsigned z_high = unsigned(z / kDoubles);
  Lanes<double> lane_signs;
  for (int i = 0; i < kDoubles; ++i)
    lane_signs[i] = sign_bits<double>(__builtin_parity(unsigned(z) & unsigned(i)))[0];
  Vector<double> sums[4] = {};
  const std::size_t num_registers = count / kDoubles;
  const auto term = [&](std::size_t r) {
    const Lanes<double> signs = sign_bits<double>(__builtin_parity(unsigned(r) & z_high));
    return flip_sign<double>(load(values + r * kDoubles), signs);
  };
  std::size_t r = 0;
  for (; r + 4 <= num_registers; r += 4) {
    sums[0] += term(r);
    sums[1] += term(r + 1);
    sums[2] += term(r + 2);
    sums[3] += term(r + 3);
  }
  for (; r < num_registers; ++r) sums[r % 4] += term(r);
  return sum_lanes<double>(flip_sign<double>((sums[0] + sums[1]) + (sums[2] + sums[3]), lane_signs));
}

void walsh_hadamard(double* values, std::size_t count) {
  for (int x = 1; x < kDoubles; x *= 2) {
    const Lanes<double> index = lane_numbers<double>() ^ Integer<double>(x);
    Lanes<double> signs;
    for (int i = 0; i < kDoubles; ++i) signs[i] = sign_bits<double>((i & x) != 0)[0];
    for (std::size_t i = 0; i < count; i += kDoubles) {
      const Vector<double> v = load(values + i);
      store(values + i, exchange_lanes(v, x, index) + flip_sign<double>(v, signs));
    }
  }
  for (std::size_t stride = kDoubles; stride < count; stride *= 2)
    for (std::size_t start = 0; start < count; start += 2 * stride)
      for (std::size_t i = start; i < start + stride; i += kDoubles) {
        const Vector<double> a = load(values + i), b = load(values + i + stride);
        store(values + i, a + b);
        store(values + i + stride, a - b);
      }
}

}  // namespace
}  // namespace qsim
