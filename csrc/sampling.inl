// Looking up random numbers in cumulative probabilities, many at a time.
#pragma once

#include "reductions.inl"

namespace qsim {
namespace {

/// Number i of the stream: the upper 53 bits of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014) from the state `key`.
QSIM_INLINE double uniform(std::uint64_t key, std::uint64_t i) {
  std::uint64_t z = key + (i + 1) * 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return double(std::int64_t((z ^ (z >> 31)) >> 11)) * 0x1p-53;
}

void draw_goals(std::uint64_t key, std::uint64_t first, const std::uint32_t* shots, std::size_t count, double total,
                double* goals) {
  if (shots == nullptr) {
    for (std::size_t i = 0; i < count; ++i) goals[i] = uniform(key, first + i) * total;
  } else {
    for (std::size_t i = 0; i < count; ++i) goals[i] = uniform(key, first + shots[i]) * total;
  }
}

/// Never falls where `value` grows: who is a step ahead is smaller, whatever the rounding.
QSIM_INLINE std::int32_t step_of(double value, double start, double scale, double last_step) {
  double step = (value - start) * scale;
  step = step > 0 ? step : 0;
  return std::int32_t(step < last_step ? step : last_step);
}

constexpr std::size_t kStride = 64;  // numbers at a time

void fill_steps(const double* values, std::size_t count, double start, double scale, std::uint32_t* steps,
                std::size_t num_steps) {
  for (std::size_t k = 0; k <= num_steps; ++k) steps[k] = 0;
  const double last = double(num_steps - 1);
  std::int32_t at[kStride];
  for (std::size_t first = 0; first < count; first += kStride) {
    const std::size_t some = count - first < kStride ? count - first : kStride;
    for (std::size_t i = 0; i < some; ++i) at[i] = step_of(values[first + i], start, scale, last);
    for (std::size_t i = 0; i < some; ++i) steps[at[i] + 1] = std::uint32_t(first + i + 1);
  }
  std::uint32_t most = 0;
  for (std::size_t k = 0; k < num_steps; ++k) steps[k] = most = steps[k] > most ? steps[k] : most;
}

void find_places(const Guide& guide, const double* goals, std::size_t count, std::uint32_t* places) {
  const double start = guide.start, scale = guide.scale, last = double(guide.num_steps - 1);
  const double* const values = guide.values;
  std::int32_t at[kStride];
  for (std::size_t first = 0; first < count; first += kStride) {
    const std::size_t some = count - first < kStride ? count - first : kStride;
    for (std::size_t i = 0; i < some; ++i) at[i] = step_of(goals[first + i], start, scale, last);
    for (std::size_t i = 0; i < some; ++i) {
      const std::uint32_t place = places[first + i] = guide.steps[at[i]];
      __builtin_prefetch(values + place);
      __builtin_prefetch(values + place + kGuideWindow - 1);
    }
    for (std::size_t i = 0; i < some; ++i) {
      const Vector<double> goal = broadcast(goals[first + i]);
      std::size_t place = places[first + i];
      int below = 0;
      for (std::size_t k = 0; k < kGuideWindow; k += kDoubles) below += count_true(load(values + place + k) <= goal);
      place += std::size_t(below);
      if (below == int(kGuideWindow)) {  // seldom: the end of the step bounds what is left
        std::size_t end = guide.steps[at[i] + 1];
        while (place < end) {
          const std::size_t middle = (place + end) / 2;
          if (values[middle] <= goals[first + i])
            place = middle + 1;
          else
            end = middle;
        }
      }
      places[first + i] = std::uint32_t(place);
    }
  }
}

}  // namespace
}  // namespace qsim
