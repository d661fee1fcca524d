// Kernels for batches: a lane of every register is a member of the batch, so no gate shuffles a register.
//
// Amplitude b of a group's states is 2 W numbers of T: W real parts, then W imaginary parts. What differs between members
// (rotations, phases) is given by lane, in the same way; what does not is broadcast.
#pragma once

#include "tile.inl"

namespace qsim {
namespace {

template <class T>
constexpr std::size_t kLaneAmplitude = 2 * std::size_t(kNumLanes<T>);  // numbers of an amplitude of all members
template <class T>
constexpr int kWideParts = int(sizeof(double) / sizeof(T));  // registers of doubles for one number of all members

template <class T>
struct Wide {  // one double for each member
  Vector<double> part[kWideParts<T>];
};

template <class T>
QSIM_INLINE Wide<T> widen(Vector<T> v) {
  if constexpr (sizeof(T) == sizeof(double)) {
    return {{v}};
  } else {
    typename VectorOf<float>::half half[2];
    __builtin_memcpy(half, &v, sizeof v);
    return {{__builtin_convertvector(half[0], Vector<double>), __builtin_convertvector(half[1], Vector<double>)}};
  }
}
template <class T>
QSIM_INLINE void store_narrow(T* p, const Wide<T>& v) {
  if constexpr (sizeof(T) == sizeof(double)) {
    store(p, v.part[0]);
  } else {
    for (int i = 0; i < 2; ++i) {
      const auto half = __builtin_convertvector(v.part[i], typename VectorOf<float>::half);
      __builtin_memcpy(p + i * kNumLanes<double>, &half, sizeof half);
    }
  }
}
template <class T>
QSIM_INLINE Wide<T> load_wide(const double* p) {
  Wide<T> v;
  for (int i = 0; i < kWideParts<T>; ++i) v.part[i] = load(p + i * kNumLanes<double>);
  return v;
}
template <class T>
QSIM_INLINE void store_wide(double* p, const Wide<T>& v) {
  for (int i = 0; i < kWideParts<T>; ++i) store(p + i * kNumLanes<double>, v.part[i]);
}
template <class T>
QSIM_INLINE void add_wide(double* p, Vector<T> v) {
  Wide<T> sum = load_wide<T>(p);
  const Wide<T> wide = widen<T>(v);
  for (int i = 0; i < kWideParts<T>; ++i) sum.part[i] += wide.part[i];
  store_wide<T>(p, sum);
}

// ---- angles ----------------------------------------------------------------------------------------------------------

// pi/2 in three parts (fdlibm): products of the first two with integers below 2^20 are exact.
constexpr double kHalfPi[3] = {1.57079632673412561417e+00, 6.07710050630396597660e-11, 2.02226624879595063154e-21};
constexpr double kRound = 6755399441055744.0;  // 1.5 * 2^52: adding it rounds to an integer, in the lowest bits

QSIM_INLINE Vector<double> minus_half_turns(Vector<double> x, Vector<double> k) {
  return ((x - k * kHalfPi[0]) - k * kHalfPi[1]) - k * kHalfPi[2];
}

/// Sine and cosine to about one unit in the last place, for |x| < kMaxReduced; NaN for NaN. Polynomials of fdlibm.
QSIM_INLINE void sine_cosine(Vector<double> x, Vector<double>& sine, Vector<double>& cosine) {
  const Vector<double> shifted = x * 0.63661977236758134308 + kRound;
  const Lanes<double> quadrant = (Lanes<double>)shifted;
  const Vector<double> r = minus_half_turns(x, shifted - kRound), z = r * r;
  const Vector<double> s =
      r + r * z *
              (-1.66666666666666324348e-01 +
               z * (8.33333333332248946124e-03 +
                    z * (-1.98412698298579493134e-04 +
                         z * (2.75573137070700676789e-06 +
                              z * (-2.50507602534068634195e-08 + z * 1.58969099521155010221e-10)))));
  const Vector<double> half = 0.5 * z, w = 1.0 - half;
  const Vector<double> c =
      w + (((1.0 - w) - half) +
           z * z *
               (4.16666666666666019037e-02 +
                z * (-1.38888888888741095749e-03 +
                     z * (2.48015872894767294178e-05 +
                          z * (-2.75573143513906633035e-07 +
                               z * (2.08757232129817482790e-09 + z * -1.13596475577881948265e-11))))));
  const Lanes<double> odd = -(quadrant & 1);
  sine = flip_sign<double>(select<double>(odd, c, s), (quadrant & 2) << 62);
  cosine = flip_sign<double>(select<double>(odd, s, c), ((quadrant + 1) & 2) << 62);
}

/// out[i] = constants[i] + sum of weights * theta[slots] over the terms first[i] .. first[i + 1] - 1, minus full turns.
/// True if some of them are too big for that, or not finite: those are left as they are.
bool lane_angles(const double* theta, std::size_t num_lanes, std::size_t count, const double* constants,
                 const std::int32_t* first, const std::int32_t* slots, const double* weights, double* out) {
  Lanes<double> any_bad{};
  for (std::size_t i = 0; i < count; ++i)
    for (std::size_t lane = 0; lane < num_lanes; lane += kNumLanes<double>) {
      Vector<double> x = broadcast<double>(constants[i]);
      for (std::int32_t t = first[i]; t < first[i + 1]; ++t)
        x += weights[t] * load(theta + std::size_t(slots[t]) * num_lanes + lane);
      const Vector<double> turns = (x * 0.15915494309189533577 + kRound) - kRound;
      const Lanes<double> good = (x < kMaxReduced) & (x > -kMaxReduced);
      store(out + i * num_lanes + lane, select<double>(good, minus_half_turns(x, 4.0 * turns), x));
      any_bad |= ~good;
    }
  for (int i = 0; i < kNumLanes<double>; ++i)
    if (any_bad[i]) return true;
  return false;
}

/// cos and sin of `count` angles.
template <class T>
void lane_polar(const double* angles, std::size_t count, T* out) {
  constexpr std::size_t W = kNumLanes<T>;
  for (std::size_t i = 0; i < count; ++i) {
    const Wide<T> angle = load_wide<T>(angles + i * W);
    Wide<T> s, c;
    for (int k = 0; k < kWideParts<T>; ++k) sine_cosine(angle.part[k], s.part[k], c.part[k]);
    store_narrow<T>(out + 2 * i * W, c);
    store_narrow<T>(out + (2 * i + 1) * W, s);
  }
}

/// What `mix` reads for the turns by `count` angles: C cos, C sin of the first, then the tangents of the others, with C the
/// product of their cosines. A cosine is kept away from zero by less than a rounding error, so that all of them are finite.
template <class T>
void lane_turns(const double* angles, std::size_t count, T* out) {
  constexpr std::size_t W = kNumLanes<T>;
  constexpr double kSmallest = sizeof(T) == sizeof(double) ? 0x1p-60 : 0x1p-30;
  Wide<T> first_sine{}, first_cosine{}, product{};
  for (std::size_t i = 0; i < count; ++i) {
    const Wide<T> angle = load_wide<T>(angles + i * W);
    Wide<T> tangent;
    for (int k = 0; k < kWideParts<T>; ++k) {
      Vector<double> s, c;
      sine_cosine(angle.part[k], s, c);
      if (i == 0) {
        first_sine.part[k] = s;
        first_cosine.part[k] = c;
        product.part[k] = broadcast<double>(1.0);
        continue;
      }
      const Lanes<double> small = (c < kSmallest) & (c > -kSmallest);
      const Vector<double> least = flip_sign<double>(broadcast<double>(kSmallest), (Lanes<double>)c & sign_bits<double>(1));
      c = select<double>(small, least, c);
      tangent.part[k] = s / c;
      product.part[k] *= c;
    }
    if (i != 0) store_narrow<T>(out + (i + 1) * W, tangent);
  }
  for (int k = 0; k < kWideParts<T>; ++k) {
    first_cosine.part[k] *= product.part[k];
    first_sine.part[k] *= product.part[k];
  }
  store_narrow<T>(out, first_cosine);
  store_narrow<T>(out + W, first_sine);
}

/// Walsh-Hadamard transform of 2^bits numbers of all members, in place.
void lane_walsh(double* values, std::size_t num_lanes, int bits) {
  const std::size_t count = std::size_t{1} << bits;
  const auto at = [&](std::size_t i) { return values + i * num_lanes; };
  int bit = 0;
  for (; bit + 1 < bits; bit += 2) {
    const std::size_t a = std::size_t{1} << bit, b = 2 * a;
    for (std::size_t high = 0; high < count; high += 2 * b)
      for (std::size_t i = high; i < high + a; ++i)
        for (std::size_t lane = 0; lane < num_lanes; lane += kNumLanes<double>) {
          const Vector<double> v0 = load(at(i) + lane), v1 = load(at(i + a) + lane);
          const Vector<double> v2 = load(at(i + b) + lane), v3 = load(at(i + a + b) + lane);
          const Vector<double> p = v0 + v1, q = v0 - v1, r = v2 + v3, s = v2 - v3;
          store(at(i) + lane, p + r);
          store(at(i + a) + lane, q + s);
          store(at(i + b) + lane, p - r);
          store(at(i + a + b) + lane, q - s);
        }
  }
  if (bit < bits) {
    const std::size_t a = std::size_t{1} << bit;
    for (std::size_t i = 0; i < a; ++i)
      for (std::size_t lane = 0; lane < num_lanes; lane += kNumLanes<double>) {
        const Vector<double> v0 = load(at(i) + lane), v1 = load(at(i + a) + lane);
        store(at(i) + lane, v0 + v1);
        store(at(i + a) + lane, v0 - v1);
      }
  }
}

// ---- gates -----------------------------------------------------------------------------------------------------------

/// body(base) for every element of the walk.
template <class Body>
QSIM_INLINE void for_each_base(const LaneWalk& walk, const Body& body) {
  std::uint32_t base = walk.start;
  const std::uint32_t count = std::uint32_t{1} << walk.bits;
  for (std::uint32_t i = 1;; ++i) {
    body(base);
    if (i == count) return;
    base ^= walk.steps[__builtin_ctz(i)];
  }
}

/// Coefficients of turns in registers; turned back if `Inverse`.
template <class T, int K, bool Inverse>
struct Turns {
  Vector<T> c, s, t[K > 1 ? K - 1 : 1];
  explicit QSIM_INLINE Turns(const T* coefficients) {
    constexpr int W = kNumLanes<T>;
    c = load(coefficients);
    s = load(coefficients + W);
    if constexpr (Inverse) s = -s;
#pragma GCC unroll 4
    for (int k = 0; k + 1 < K; ++k) {
      t[k] = load(coefficients + (k + 2) * W);
      if constexpr (Inverse) t[k] = -t[k];
    }
  }
  QSIM_INLINE void apply(Vector<T>* v) const {
#pragma GCC unroll 16
    for (int g = 0; g < (1 << K); ++g)
      if (!(g & 1)) {
        const Vector<T> a = v[g], b = v[g | 1];
        v[g] = c * a - s * b;
        v[g | 1] = s * a + c * b;
      }
#pragma GCC unroll 4
    for (int k = 1; k < K; ++k)
#pragma GCC unroll 16
      for (int g = 0; g < (1 << K); ++g)
        if (!(g & (1 << k))) {
          const Vector<T> a = v[g], b = v[g | (1 << k)];
          v[g] = a - t[k - 1] * b;
          v[g | (1 << k)] = t[k - 1] * a + b;
        }
  }
};

template <class T>
QSIM_INLINE T* amplitude_at(T* state, std::uint32_t index) {
  return state + std::size_t(index) * kLaneAmplitude<T>;
}

/// K turns (a, b) <- (a cos - b sin, a sin + b cos) of pairs (index, index ^ x), one after the other. offsets[g] is the xor
/// of the x in the bits of g.
template <class T, int K>
void lane_mix(T* state, const LaneWalk& walk, const std::uint32_t* offsets, const T* coefficients) {
  constexpr int G = 1 << K;
  const Turns<T, K, false> turns(coefficients);
  for_each_base(walk, [&](std::uint32_t base) {
    T* p[G];
#pragma GCC unroll 16
    for (int g = 0; g < G; ++g) p[g] = amplitude_at(state, base ^ offsets[g]);
#pragma GCC unroll 2
    for (int part = 0; part < 2; ++part) {
      Vector<T> v[G];
#pragma GCC unroll 16
      for (int g = 0; g < G; ++g) v[g] = load(p[g] + part * kNumLanes<T>);
      turns.apply(v);
#pragma GCC unroll 16
      for (int g = 0; g < G; ++g) store(p[g] + part * kNumLanes<T>, v[g]);
    }
  });
}

constexpr int kFlushBases = 16;  // partial sums of so many groups are taken in the states' own precision

/// The same turned back, on the state if `undo_state` and its cotangent if `undo_cotangent`. Before, sums[k] gains
/// Re <cotangent| d state / d angle k> (none if null), one double for each member.
template <class T, int K>
void lane_unmix(T* state, T* cotangent, const LaneWalk& walk, const std::uint32_t* offsets, const T* coefficients,
                bool undo_state, bool undo_cotangent, double* sums) {
  constexpr int G = 1 << K, W = kNumLanes<T>;
  const Turns<T, K, true> turns(coefficients);
  Vector<T> partial[K] = {};
  int pending = 0;
  const auto flush = [&] {
    for (int k = 0; k < K; ++k) {
      add_wide<T>(sums + k * W, partial[k]);
      partial[k] = Vector<T>{};
    }
    pending = 0;
  };
  for_each_base(walk, [&](std::uint32_t base) {
#pragma GCC unroll 2
    for (int part = 0; part < 2; ++part) {
      Vector<T> v[G], w[G];
#pragma GCC unroll 8
      for (int g = 0; g < G; ++g) v[g] = load(amplitude_at(state, base ^ offsets[g]) + part * W);
#pragma GCC unroll 8
      for (int g = 0; g < G; ++g) w[g] = load(amplitude_at(cotangent, base ^ offsets[g]) + part * W);
      if (sums != nullptr) {
#pragma GCC unroll 4
        for (int k = 0; k < K; ++k)
#pragma GCC unroll 8
          for (int g = 0; g < G; ++g)
            if (!(g & (1 << k))) {
              const int h = g | (1 << k);
              partial[k] += w[h] * v[g];
              partial[k] -= w[g] * v[h];
            }
      }
      if (undo_state) {
        turns.apply(v);
#pragma GCC unroll 8
        for (int g = 0; g < G; ++g) store(amplitude_at(state, base ^ offsets[g]) + part * W, v[g]);
      }
      if (undo_cotangent) {
        turns.apply(w);
#pragma GCC unroll 8
        for (int g = 0; g < G; ++g) store(amplitude_at(cotangent, base ^ offsets[g]) + part * W, w[g]);
      }
    }
    if (sums != nullptr && ++pending == kFlushBases) flush();
  });
  if (sums != nullptr && pending != 0) flush();
}

/// What turns make of |0...0> alone: 2^count real amplitudes at the xors of their x. Nothing else is written.
template <class T>
void lane_product(T* state, const std::uint32_t* x, const T* cos_sin, std::size_t count) {
  constexpr int W = kNumLanes<T>;
  store(state, broadcast<T>(T(1)));
  store(state + W, Vector<T>{});
  LaneWalk walk{};
  std::uint32_t prefix = 0;
  for (std::size_t k = 0; k < count; ++k) {
    const Vector<T> c = load(cos_sin + 2 * k * W), s = load(cos_sin + (2 * k + 1) * W);
    walk.bits = int(k);
    for_each_base(walk, [&](std::uint32_t base) {
      T* const to = amplitude_at(state, base ^ x[k]);
      T* const from = amplitude_at(state, base);
      const Vector<T> v = load(from);
      store(from, c * v);
      store(to, s * v);
      store(to + W, Vector<T>{});
    });
    prefix ^= x[k];
    walk.steps[k] = prefix;
  }
}

/// Amplitude low[l] ^ high[h] of every state is multiplied by tables[variants[h]][l] * factors[h], or its conjugate. If
/// `overlaps`, it first gains Im(conj(cotangent) state) of that amplitude in place h * 2^low_bits + l, one double for each
/// member, for every cotangent: states[0] is the state, the others are cotangents.
template <class T, bool Inverse>
void lane_phases(T* const* states, int num_states, const LanePhases& plan, const T* tables, const T* factors,
                 double* overlaps, bool apply) {
  constexpr int W = kNumLanes<T>;
  const std::size_t num_low = std::size_t{1} << plan.low_bits, num_high = std::size_t{1} << plan.high_bits;
  for (std::size_t h = 0; h < num_high; ++h) {
    const T* const table = tables + plan.variants[h] * num_low * kLaneAmplitude<T>;
    const Vector<T> fr = load(factors + h * kLaneAmplitude<T>), fi = load(factors + h * kLaneAmplitude<T> + W);
    for (std::size_t l = 0; l < num_low; ++l) {
      const std::uint32_t index = plan.low[l] ^ plan.high[h];
      const Vector<T> tr = load(table + l * kLaneAmplitude<T>), ti = load(table + l * kLaneAmplitude<T> + W);
      const Vector<T> cr = fr * tr - fi * ti, ci = Inverse ? -(fr * ti + fi * tr) : fr * ti + fi * tr;
      T* const p = amplitude_at(states[0], index);
      const Vector<T> re = load(p), im = load(p + W);
      if (apply) {
        store(p, cr * re - ci * im);
        store(p + W, cr * im + ci * re);
      }
      for (int k = 1; k < num_states; ++k) {
        T* const q = amplitude_at(states[k], index);
        const Vector<T> qr = load(q), qi = load(q + W);
        if (overlaps != nullptr)
          store_wide<T>(overlaps + (((std::size_t(k) - 1) * num_high + h) * num_low + l) * W, widen<T>(qr * im - qi * re));
        if (apply) {
          store(q, cr * qr - ci * qi);
          store(q + W, cr * qi + ci * qr);
        }
      }
    }
  }
}

/// Every amplitude times a number that all members share, or its conjugate; `real`: imaginary parts are zero.
template <class T>
void lane_constant_phases(T* state, std::size_t dim, const T* table, bool real, bool inverse) {
  constexpr int W = kNumLanes<T>;
  for (std::size_t b = 0; b < dim; ++b) {
    T* const p = amplitude_at(state, std::uint32_t(b));
    const Vector<T> re = load(p), im = load(p + W);
    const Vector<T> cr = broadcast<T>(table[2 * b]), ci = broadcast<T>(inverse ? -table[2 * b + 1] : table[2 * b + 1]);
    store(p, real ? cr * re : cr * re - ci * im);
    store(p + W, real ? cr * im : cr * im + ci * re);
  }
}

/// A constant matrix, by rows, on groups of 2^K amplitudes.
template <class T, int K>
void lane_dense(T* state, const LaneWalk& walk, const std::uint32_t* offsets, const T* matrix) {
  constexpr int G = 1 << K, W = kNumLanes<T>;
  for_each_base(walk, [&](std::uint32_t base) {
    Vector<T> re[G], im[G];
    for (int g = 0; g < G; ++g) {
      const T* const p = amplitude_at(state, base ^ offsets[g]);
      re[g] = load(p);
      im[g] = load(p + W);
    }
    for (int g = 0; g < G; ++g) {
      Vector<T> sum_re{}, sum_im{};
#pragma GCC unroll 8
      for (int h = 0; h < G; ++h) {
        const Vector<T> mr = broadcast<T>(matrix[2 * (g * G + h)]), mi = broadcast<T>(matrix[2 * (g * G + h) + 1]);
        sum_re += mr * re[h];
        sum_re -= mi * im[h];
        sum_im += mr * im[h];
        sum_im += mi * re[h];
      }
      T* const p = amplitude_at(state, base ^ offsets[g]);
      store(p, sum_re);
      store(p + W, sum_im);
    }
  });
}

// ---- what is read off ------------------------------------------------------------------------------------------------

/// out[k] = sum over b of diagonals[k][b] |psi_b|^2, for `count` diagonals.
template <class T>
void lane_diagonal_values(const T* state, std::size_t dim, const double* const* diagonals, std::size_t count, double* out) {
  constexpr int W = kNumLanes<T>, kAtOnce = 4;
  for (std::size_t first = 0; first < count; first += kAtOnce) {
    const int some = int(count - first < kAtOnce ? count - first : kAtOnce);
    const double* d[kAtOnce];
    for (int k = 0; k < kAtOnce; ++k) d[k] = diagonals[first + std::size_t(k < some ? k : 0)];
    Wide<T> sums[kAtOnce] = {};
    for (std::size_t b = 0; b < dim; ++b) {
      const T* const p = state + b * kLaneAmplitude<T>;
      const Vector<T> re = load(p), im = load(p + W);
      const Wide<T> square = widen<T>(re * re + im * im);
#pragma GCC unroll 4
      for (int k = 0; k < kAtOnce; ++k)
        for (int i = 0; i < kWideParts<T>; ++i) sums[k].part[i] += d[k][b] * square.part[i];
    }
    for (int k = 0; k < some; ++k) store_wide<T>(out + (first + std::size_t(k)) * W, sums[k]);
  }
}

/// out += 2 Re sum over b of table[b] conj(psi_b) psi_{b ^ x}, over one b of each pair; x is not zero.
template <class T>
void lane_string_value(const T* state, std::size_t dim, std::uint32_t x, const double* table, double* out) {
  constexpr int W = kNumLanes<T>;
  const std::uint32_t top = std::uint32_t{1} << (31 - __builtin_clz(x));
  Wide<T> sum{};
  for (std::uint32_t b = 0; b < dim; ++b) {
    if (b & top) {
      b += top - 1;
      continue;
    }
    const T* const p = amplitude_at(state, b);
    const T* const q = amplitude_at(state, b ^ x);
    const Vector<T> ar = load(p), ai = load(p + W), br = load(q), bi = load(q + W);
    const Wide<T> re = widen<T>(ar * br + ai * bi), im = widen<T>(ar * bi - ai * br);
    for (int i = 0; i < kWideParts<T>; ++i) sum.part[i] += table[2 * b] * re.part[i] - table[2 * b + 1] * im.part[i];
  }
  Wide<T> total = load_wide<T>(out);
  for (int i = 0; i < kWideParts<T>; ++i) total.part[i] += 2.0 * sum.part[i];
  store_wide<T>(out, total);
}

/// out_b = table[b] psi_{b ^ x}, or with `add` added to it; `real`: imaginary parts of the table are zero.
template <class T>
void lane_apply_strings(const T* state, T* out, std::size_t dim, std::uint32_t x, const double* table, bool real,
                        bool add) {
  constexpr int W = kNumLanes<T>;
  for (std::uint32_t b = 0; b < dim; ++b) {
    const T* const p = amplitude_at(state, b ^ x);
    T* const q = amplitude_at(out, b);
    const Vector<T> re = load(p), im = load(p + W);
    const Vector<T> tr = broadcast<T>(T(table[2 * b])), ti = broadcast<T>(T(table[2 * b + 1]));
    Vector<T> r = tr * re, i = tr * im;
    if (!real) {
      r -= ti * im;
      i += ti * re;
    }
    store(q, add ? load(q) + r : r);
    store(q + W, add ? load(q + W) + i : i);
  }
}

/// out = Re <a|b>
template <class T>
void lane_overlap(const T* a, const T* b, std::size_t dim, double* out) {
  constexpr int W = kNumLanes<T>;
  Wide<T> sum{};
  for (std::size_t i = 0; i < dim; ++i) {
    const T* const p = a + i * kLaneAmplitude<T>;
    const T* const q = b + i * kLaneAmplitude<T>;
    const Wide<T> product = widen<T>(load(p) * load(q) + load(p + W) * load(q + W));
    for (int k = 0; k < kWideParts<T>; ++k) sum.part[k] += product.part[k];
  }
  store_wide<T>(out, sum);
}

template <class T>
constexpr LaneKernels<T> make_lane_kernels() {
  return {{lane_mix<T, 1>, lane_mix<T, 2>, lane_mix<T, 3>, lane_mix<T, 4>},
          {lane_unmix<T, 1>, lane_unmix<T, 2>, lane_unmix<T, 3>},
          {lane_phases<T, false>, lane_phases<T, true>},
          {lane_dense<T, 1>, lane_dense<T, 2>, lane_dense<T, 3>},
          lane_constant_phases<T>,
          lane_product<T>,
          lane_polar<T>,
          lane_turns<T>,
          lane_diagonal_values<T>,
          lane_string_value<T>,
          lane_apply_strings<T>,
          lane_overlap<T>,
          lane_angles,
          lane_walsh};
}

}  // namespace
}  // namespace qsim
