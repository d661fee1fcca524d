// Keys of streams of random numbers from seeds, as qsim/rng.py makes them with NumPy.
#pragma once

#include <cstdint>

namespace qsim::capi {

/// The key of the first stream of a row: the first number of NumPy's Philox, seeded by SeedSequence(seed,
/// spawn_key=(row,)).
std::uint64_t stream_key(std::uint64_t seed, std::uint64_t row);

}  // namespace qsim::capi
