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
void abs_squared(const T* amplitudes, double* out, std::size_t count) {
  std::size_t i = 0;
  for (; i + kDoubles <= count; i += kDoubles) {
    __builtin_prefetch(reinterpret_cast<const char*>(amplitudes + 2 * i) + kPrefetchBytes);
    if constexpr (2 * kDoubles * sizeof(T) > 64)
      __builtin_prefetch(reinterpret_cast<const char*>(amplitudes + 2 * i) + kPrefetchBytes + 64);
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

/// Adds sum of conj(a) * b to sum_re_im. Real and imaginary parts stay side by side: the products of equal parts make
/// the real part of the sum, those of unequal parts, with alternating signs, the imaginary part.
template <class T>
void inner_product(const T* a, const T* b, std::size_t count, double* sum_re_im) {
  constexpr int kChains = 4;
  const std::size_t numbers = 2 * count;
  const Lanes<double> other = lane_numbers<double>() ^ Integer<double>(1);
  Vector<double> equal[kChains] = {}, unequal[kChains] = {};
  std::size_t i = 0;
  for (; i + kChains * kDoubles <= numbers; i += kChains * kDoubles)
    for (int k = 0; k < kChains; ++k) {
      const Vector<double> x = load_double(a + i + k * kDoubles), y = load_double(b + i + k * kDoubles);
      equal[k] += x * y;
      unequal[k] += x * exchange_lanes(y, 1, other);
    }
  double sum_re = sum_lanes<double>((equal[0] + equal[1]) + (equal[2] + equal[3]));
  const Vector<double> crossed = (unequal[0] + unequal[1]) + (unequal[2] + unequal[3]);
  double sum_im = 0;
  for (int lane = 0; lane < kDoubles; lane += 2) sum_im += crossed[lane] - crossed[lane + 1];
  for (; i < numbers; i += 2) {
    const double xr = double(a[i]), xi = double(a[i + 1]), yr = double(b[i]), yi = double(b[i + 1]);
    sum_re += xr * yr + xi * yi;
    sum_im += xr * yi - xi * yr;
  }
  sum_re_im[0] += sum_re;
  sum_re_im[1] += sum_im;
}

/// Adds neighbouring runs of `Run` values, in place.
template <std::size_t Run>
QSIM_INLINE void add_runs(double* values, std::size_t count) {
  for (std::size_t i = 0; i < count / 2; i += Run)
    for (std::size_t j = 0; j < Run; ++j) values[i + j] = values[2 * i + j] + values[2 * i + Run + j];
}

void sum_over_bits(double* values, std::size_t count, std::uint64_t bits) {
  for (std::size_t run = count / 2; run != 0; run /= 2) {  // the highest bit first: fewer values to shuffle
    if (!(bits & run)) continue;
    if (run >= kDoubles) {
      for (std::size_t i = 0; i < count / 2; i += run)
        for (std::size_t j = 0; j < run; j += kDoubles)
          store(values + i + j, load(values + 2 * i + j) + load(values + 2 * i + run + j));
    } else if (run == 1 && count >= 2 * kDoubles) {
      for (std::size_t i = 0; i < count / 2; i += kDoubles) {
        Vector<double> even, odd;
        deinterleave(load(values + 2 * i), load(values + 2 * i + kDoubles), even, odd);
        store(values + i, even + odd);
      }
    } else {
      switch (run) {
        case 1: add_runs<1>(values, count); break;
        case 2: add_runs<2>(values, count); break;
        default: add_runs<4>(values, count);
      }
    }
    count /= 2;
  }
}

}  // namespace
}  // namespace qsim
