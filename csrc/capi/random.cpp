// SeedSequence is M. E. O'Neill's seed_seq_fe as NumPy has it; Philox is that of J. K. Salmon et al., Parallel random
// numbers: as easy as 1, 2, 3, SC11.
#include "random.hpp"

#include <array>
#include <vector>

namespace qsim::capi {
namespace {

constexpr std::size_t kPool = 4;

void append_words(std::uint64_t number, std::vector<std::uint32_t>& words) {
  do {
    words.push_back(std::uint32_t(number));
    number >>= 32;
  } while (number != 0);
}

/// Hashes one number after the other, each with another constant.
struct Hash {
  std::uint32_t constant, multiplier;
  std::uint32_t operator()(std::uint32_t value) {
    value ^= constant;
    constant *= multiplier;
    value *= constant;
    return value ^ value >> 16;
  }
};

std::uint32_t mix(std::uint32_t x, std::uint32_t y) {
  const std::uint32_t result = 0xca01f9ddu * x - 0x4973f715u * y;
  return result ^ result >> 16;
}

std::array<std::uint32_t, kPool> seed_pool(std::uint64_t seed, std::uint64_t row) {
  std::vector<std::uint32_t> words;
  append_words(seed, words);
  words.resize(kPool, 0);
  append_words(row, words);
  std::array<std::uint32_t, kPool> pool;
  Hash hash{0x43b0d7e5u, 0x931e8875u};
  for (std::size_t i = 0; i < kPool; ++i) pool[i] = hash(words[i]);
  for (std::size_t from = 0; from < kPool; ++from)
    for (std::size_t to = 0; to < kPool; ++to)
      if (from != to) pool[to] = mix(pool[to], hash(pool[from]));
  for (std::size_t from = kPool; from < words.size(); ++from)
    for (std::uint32_t& to : pool) to = mix(to, hash(words[from]));
  return pool;
}

std::uint64_t high_product(std::uint64_t a, std::uint64_t b) { return std::uint64_t((unsigned __int128)a * b >> 64); }

}  // namespace

std::uint64_t stream_key(std::uint64_t seed, std::uint64_t row) {
  const auto pool = seed_pool(seed, row);
  Hash hash{0x8b51f9ddu, 0x58f38dedu};
  std::uint64_t key[2];
  for (int i = 0; i < 2; ++i) {
    const std::uint64_t low = hash(pool[std::size_t(2 * i)]);
    key[i] = low | std::uint64_t(hash(pool[std::size_t(2 * i + 1)])) << 32;
  }
  std::uint64_t counter[4] = {1, 0, 0, 0};
  for (int round = 0; round < 10; ++round) {
    constexpr std::uint64_t first = 0xD2E7470EE14C6C93u, second = 0xCA5A826395121157u;
    const std::uint64_t next[4] = {high_product(second, counter[2]) ^ counter[1] ^ key[0], second * counter[2],
                                   high_product(first, counter[0]) ^ counter[3] ^ key[1], first * counter[0]};
    for (int k = 0; k < 4; ++k) counter[k] = next[k];
    key[0] += 0x9E3779B97F4A7C15u;
    key[1] += 0xBB67AE8584CAA73Bu;
  }
  return counter[0];
}

}  // namespace qsim::capi
