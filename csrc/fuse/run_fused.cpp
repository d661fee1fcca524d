#include "run_fused.hpp"

#include <utility>
#include <vector>

#include "../execute/pass.hpp"

namespace qsim {
namespace {

/// A state and the tile of it that is worked on.
template <class T>
struct Part {
  T* state;
  T *re = nullptr, *im = nullptr;
  T *other_re = nullptr, *other_im = nullptr;  // where a permutation goes to
};

/// One segment on one tile, block by block where its steps allow it: of one state, or in a sweep of a state and its
/// cotangents, between whose steps taps are read.
template <class T>
class TileRun {
 public:
  TileRun(const Context<T>& context, const FusedPlan& plan, const BoundPlan<T>& bound, std::size_t segment,
          const std::vector<T*>& states, double* sums)
      : context_(context),
        plan_(plan),
        bound_(bound),
        segment_(plan.segments[segment]),
        layout_(segment_.planned.layout),
        scale_(bound.scales[segment]),
        generates_(segment == 0 && plan.from_zero),
        writes_(sums == nullptr || segment + 1 < plan.segments.size()),
        sums_(sums),
        block_bits_(std::min(plan.block_bits, layout_.tile_bits)),
        num_blocks_(std::uint64_t{1} << (layout_.tile_bits - block_bits_)),
        run_bits_(std::min(layout_.run_bits, block_bits_)),
        block_mask_(block_mask()) {
    bool permutes = false;
    for (std::int32_t i = segment_.first; i < segment_.last; ++i)
      permutes |= plan.steps[std::size_t(i)].kind == FusedKind::kPermute;
    const std::size_t size = std::size_t{1} << layout_.tile_bits, gap = kTileGapBytes / sizeof(T);
    T* next = workspace().tile.template array<T>(states.size() * (permutes ? 4 : 2) * (size + gap));
    const auto take = [&] { return std::exchange(next, next + size + gap); };
    for (T* const state : states) {
      Part<T> part{state};
      part.re = take();
      part.im = take();
      if (permutes) {
        part.other_re = take();
        part.other_im = take();
      }
      parts_.push_back(part);
    }
    if (sums_ != nullptr) products_ = workspace().values.template array<T>(std::size_t{2} << block_bits_);
  }

  /// The tile that starts at amplitude `base`; `next` the one after it, to be fetched meanwhile.
  void run(std::uint64_t base) {
    base_ = base;
    std::int32_t i = segment_.first;
    bool loaded = false;
    do {
      std::int32_t end = i;
      while (end < segment_.last && plan_.steps[end].blocked) ++end;
      const bool stores = end == segment_.last;
      if (end > i || !loaded || stores)
        for (std::uint64_t block = 0; block < num_blocks_; ++block) {
          if (!loaded)
            for (const Part<T>& part : parts_) load_block(part, block);
          const bool fetches = !loaded && !generates_ && block + 1 < num_blocks_;
          for (std::int32_t step = i; step < end; ++step) {
            if (fetches)
              for (const Part<T>& part : parts_) fetch_block(part, block + 1, step - i, end - i);
            run_in_block(plan_.steps[step], block);
            if ((step & 63) == 63) checkpoint();
          }
          if (stores && writes_)
            for (const Part<T>& part : parts_) store_block(part, block);
        }
      loaded = true;
      if (stores) return;
      for (i = end; i < segment_.last && !plan_.steps[i].blocked; ++i) {
        run_in_tile(plan_.steps[i]);
        checkpoint();
      }
    } while (true);
  }

  /// Sums of strings out of those of lanes, which have the signs of their numbers.
  void add_lanes(const double* lanes, double* out) const {
    const std::size_t count = std::size_t(context_.lanes);
    for (std::size_t k = 0; k + 1 < parts_.size(); ++k, lanes += segment_.num_sums * count, out += segment_.num_sums)
      for (std::int32_t i = segment_.first; i < segment_.last; ++i) {
        if (plan_.steps[i].taps < 0) continue;
        for (const TapPlan::Group& group : plan_.taps[plan_.steps[i].taps].groups) {
          std::size_t number = group.first_sum;
          for (const std::vector<std::uint64_t>& masks : group.z)
            for (const std::uint64_t z : masks) {
              for (std::size_t lane = 0; lane < count; ++lane) {
                const double value = lanes[number * count + lane];
                out[number] += parity(z & lane) ? -value : value;
              }
              ++number;
            }
        }
      }
  }

 private:
  std::uint64_t block_mask() const {
    std::uint64_t mask = layout_.inside;
    while (popcount(mask) > block_bits_) mask &= ~(std::uint64_t{1} << log2_of(mask));
    return mask;
  }

  std::uint64_t index_of(std::uint64_t block) const {
    return base_ | deposit_bits(block, layout_.inside & ~block_mask_);
  }
  T* re_of(const Part<T>& part, std::uint64_t block) const { return part.re + (block << block_bits_); }
  T* im_of(const Part<T>& part, std::uint64_t block) const { return part.im + (block << block_bits_); }

  void load_block(const Part<T>& part, std::uint64_t block) {
    if (generates_) return write_product(part, block);
    const std::size_t runs = std::size_t{1} << (block_bits_ - run_bits_), run = std::size_t{1} << run_bits_;
    const std::size_t first = std::size_t(block) << block_bits_;
    for (std::size_t r = 0; r < runs; ++r)
      context_.kernels.split(part.state + 2 * address(first + r * run), part.re + first + r * run,
                             part.im + first + r * run, run);
  }

  /// Part `part` of `parts` of a block on its way into the cache.
  void fetch_block(const Part<T>& of, std::uint64_t block, int part, int parts) const {
    const std::size_t runs = std::size_t{1} << (block_bits_ - run_bits_), run = std::size_t{1} << run_bits_;
    const std::size_t first = std::size_t(block) << block_bits_;
    for (std::size_t r = runs * part / parts; r < runs * (part + 1) / parts; ++r) {
      const char* const from = reinterpret_cast<const char*>(of.state + 2 * address(first + r * run));
      for (std::size_t line = 0; line < 2 * sizeof(T) * run; line += 64) __builtin_prefetch(from + line, 0, 2);
    }
  }

  void store_block(const Part<T>& part, std::uint64_t block) {
    const std::size_t runs = std::size_t{1} << (block_bits_ - run_bits_), run = std::size_t{1} << run_bits_;
    const std::size_t first = std::size_t(block) << block_bits_;
    if (scale_ != 1) {
      const T constant[2] = {T(scale_), T(0)};
      context_.kernels.fused.multiply_phases(re_of(part, block), im_of(part, block), block_bits_, constant, nullptr,
                                             nullptr);
    }
    for (std::size_t r = 0; r < runs; ++r)
      context_.kernels.join(part.re + first + r * run, part.im + first + r * run,
                            part.state + 2 * address(first + r * run), run, nullptr);
  }

  /// Amplitude at a place of the tile; the place is a multiple of the run.
  std::uint64_t address(std::size_t place) const {
    return base_ + layout_.run_offsets[place >> layout_.run_bits] +
           (place & ((std::size_t{1} << layout_.run_bits) - 1));
  }

  void write_product(const Part<T>& part, std::uint64_t block) {
    const std::uint64_t index = index_of(block);
    Complex constant = 1;
    T factors[4 * kMaxBlockBits];
    int position = 0;
    for (int q = 0; q < context_.tape.num_qubits; ++q) {
      const Complex* v = bound_.product.data() + 2 * q;
      if ((block_mask_ >> q) & 1) {
        T* const f = factors + 4 * position++;
        f[0] = T(v[0].real());
        f[1] = T(v[0].imag());
        f[2] = T(v[1].real());
        f[3] = T(v[1].imag());
      } else {
        constant = times(constant, v[(index >> q) & 1]);
      }
    }
    const T c[2] = {T(constant.real()), T(constant.imag())};
    context_.kernels.fused.write_product(re_of(part, block), im_of(part, block), block_bits_, c, factors);
  }

  void run_in_block(const FusedStep& step, std::uint64_t block) {
    if (step.taps >= 0) read_taps(plan_.taps[step.taps], block);
    if (step.kind == FusedKind::kPhases) return multiply_phases(step.index, block);
    for (Part<T>& part : parts_) {
      if (step.kind == FusedKind::kGeneric) run_generic(part, step.index, block, num_blocks_);
      if (step.kind != FusedKind::kMixes) continue;
      const MixPlan& mix = plan_.mixes[step.index];
      if (mix.in_lanes) {
        const BoundMix<T>& bound = bound_.mixes[step.index];
        context_.kernels.fused.mix_lanes[mix.count - 1](re_of(part, block), im_of(part, block), mix.patterns,
                                                        bound.lanes.data(), bound.phased, bound.lane_phases.data(),
                                                        (std::size_t{1} << block_bits_) / context_.lanes);
      } else {
        run_mix(part, step.index, groups_of(mix) / num_blocks_, block);
      }
    }
  }

  void run_in_tile(const FusedStep& step) {
    if (step.taps >= 0)
      for (std::uint64_t block = 0; block < num_blocks_; ++block) read_taps(plan_.taps[step.taps], block);
    for (Part<T>& part : parts_) {
      if (step.kind == FusedKind::kPermute) permute(part, plan_.permutes[std::size_t(step.index)]);
      if (step.kind == FusedKind::kMixes) run_mix(part, step.index, groups_of(plan_.mixes[step.index]), 0);
      if (step.kind == FusedKind::kGeneric) run_generic(part, step.index, 0, 1);
    }
  }

  /// Adds to the sums what a block says: of each string and cotangent as many numbers as a register has lanes.
  void read_taps(const TapPlan& plan, std::uint64_t block) {
    const std::size_t size = std::size_t{1} << block_bits_, lanes = std::size_t(context_.lanes);
    const std::uint64_t outside = (index_of(block) & ~block_mask_) << kMaxBlockBits;
    const Part<T>& state = parts_.front();
    for (std::size_t k = 1; k < parts_.size(); ++k) {
      double* const own = sums_ + (k - 1) * segment_.num_sums * lanes;
      for (const TapPlan::Group& group : plan.groups) {
        T* const re = group.z[0].empty() ? nullptr : products_;
        T* const im = group.z[1].empty() ? nullptr : products_ + size;
        const std::uint64_t other = block ^ group.x_block;
        context_.kernels.pauli.products(re_of(state, block), im_of(state, block), re_of(parts_[k], other),
                                        im_of(parts_[k], other), size, group.x, re, im);
        double* sum = own + group.first_sum * lanes;
        for (int part = 0; part < 2; ++part) {
          const std::vector<std::uint64_t>& z = group.z[part];
          if (z.empty()) continue;
          context_.kernels.pauli.add_signed_sums(part == 0 ? re : im, size, z.data(), z.size(), outside, sum);
          sum += z.size() * lanes;
        }
      }
    }
  }

  /// The amplitude at y comes from where the exchanges, undone from the last to the first, lead.
  void permute(Part<T>& part, const PermutePlan& plan) {
    AffineMap map{};
    for (int i = 0; i < layout_.tile_bits; ++i) map.columns[i] = 1u << i;
    const auto exchange = [&](std::uint32_t& place, const PermutePlan::Exchange& e, bool linear) {
      if (e.swaps) {
        const std::uint32_t differs = ((place >> e.target) ^ (place >> e.other)) & 1;
        place ^= (differs << e.target) | (differs << e.other);
      } else if (e.other < 0) {
        if (!linear) place ^= 1u << e.target;
      } else {
        const std::uint32_t bit = (place >> e.other) & 1;
        place ^= (linear ? bit : bit ^ (e.control_value ? 0u : 1u)) << e.target;
      }
    };
    for (std::size_t k = plan.exchanges.size(); k-- > 0;) {
      const PermutePlan::Exchange& e = plan.exchanges[k];
      if ((base_ & e.outer_mask) != e.outer_value) continue;
      exchange(map.constant, e, false);
      for (int i = 0; i < layout_.tile_bits; ++i) exchange(map.columns[i], e, true);
    }
    context_.kernels.fused.permute_tile(part.re, part.im, part.other_re, part.other_im, layout_.tile_bits, map);
    std::swap(part.re, part.other_re);
    std::swap(part.im, part.other_im);
  }

  std::uint64_t groups_of(const MixPlan& mix) const {
    return ((std::uint64_t{1} << layout_.tile_bits) / std::uint64_t(context_.lanes)) >> mix.count;
  }

  void run_mix(const Part<T>& of, std::int32_t index, std::uint64_t groups, std::uint64_t part) {
    const MixPlan& mix = plan_.mixes[index];
    const BoundMix<T>& bound = bound_.mixes[index];
    if (mix.phased)
      return context_.kernels.fused.mix_with_phases[mix.count - 1](of.re, of.im, mix.op, bound.with_phases, part * groups,
                                                                   (part + 1) * groups);
    context_.kernels.fused.mix_registers[mix.count - 1][bound.reflects](of.re, of.im, mix.op, bound.t, bound.flips,
                                                                        part * groups, (part + 1) * groups);
  }

  void run_generic(const Part<T>& of, std::int32_t index, std::uint64_t part, std::uint64_t parts) {
    const PlannedOp& op = context_.plan.ops[std::size_t(index)];
    if ((base_ & op.outer_ctrl_mask) != op.outer_ctrl_value) return;
    const void* const coefficients = coefficients_of(context_, op, bound_.generic.data());
    if (op.kernel == nullptr) return apply_groups_in_tile(context_, layout_, op, coefficients, of.re, of.im);
    const std::uint64_t groups = op.tile.num_groups / parts;
    reinterpret_cast<TileKernel<T>>(op.kernel)(of.re, of.im, op.tile, static_cast<const T*>(coefficients),
                                                outer_of(context_.plan, op, base_), part * groups,
                                                (part + 1) * groups);
  }

  void multiply_phases(std::int32_t number, std::uint64_t block) {
    const PhasePlan& phase = plan_.phases[number];
    const BoundPhases<T>& bound = bound_.phases[number];
    const std::uint64_t index = index_of(block);
    Complex constant = bound.constant;
    Complex products[kMaxBlockBits];
    if (phase.has_products) {
      int position = 0;
      for (std::uint64_t mask = block_mask_; mask != 0; mask &= mask - 1, ++position)
        products[position] = phase.has_table ? Complex(1) : bound.factors[__builtin_ctzll(mask)];
    }
    for (std::uint64_t mask = index & ~block_mask_; mask != 0; mask &= mask - 1)
      constant = times(constant, bound.factors[__builtin_ctzll(mask)]);
    for (const PhasePlan::Row& row : phase.rows) {
      if (row.position < 0 && !((index >> row.qubit) & 1)) continue;
      Complex& value = row.position < 0 ? constant : products[row.position];
      for (std::int32_t k = row.first; k < row.last; ++k)
        value = times(value, bound.nibble_tables[16 * std::size_t(k) + ((index >> (4 * phase.nibbles[k])) & 15)]);
    }
    T factors[4 * kMaxBlockBits];
    if (phase.has_products)
      for (int p = 0; p < block_bits_; ++p) {
        factors[4 * p] = T(1);
        factors[4 * p + 1] = T(0);
        factors[4 * p + 2] = T(products[p].real());
        factors[4 * p + 3] = T(products[p].imag());
      }
    const T c[2] = {T(constant.real()), T(constant.imag())};
    if (c[0] == 1 && c[1] == 0 && !phase.has_products && bound.table == nullptr) return;
    for (const Part<T>& part : parts_)
      context_.kernels.fused.multiply_phases(re_of(part, block), im_of(part, block), block_bits_, c,
                                             phase.has_products ? factors : nullptr, bound.table);
  }

  const Context<T>& context_;
  const FusedPlan& plan_;
  const BoundPlan<T>& bound_;
  const FusedSegment& segment_;
  const TileLayout& layout_;
  const double scale_;
  const bool generates_;
  const bool writes_;  // nobody reads what is left behind a sweep
  double* const sums_;
  std::vector<Part<T>> parts_;
  T* products_ = nullptr;
  const int block_bits_;
  const std::uint64_t num_blocks_;
  const int run_bits_;
  const std::uint64_t block_mask_;
  std::uint64_t base_ = 0;
};

constexpr std::uint64_t kSweepChunks = 64;  // partial sums of a pass, whatever the number of threads

template <class T>
void run_segment(const Context<T>& context, const FusedPlan& plan, const BoundPlan<T>& bound, std::size_t number,
                 const std::vector<T*>& states, int threads, std::vector<double>* totals) {
  const FusedSegment& segment = plan.segments[number];
  const TileLayout& layout = segment.planned.layout;
  const std::uint64_t per_chunk =
      totals != nullptr
          ? (layout.num_tiles + kSweepChunks - 1) / kSweepChunks
          : std::max<std::uint64_t>(1, std::min(layout.num_tiles / (std::uint64_t(threads) * 8),
                                                std::uint64_t{1} << std::max(0, 18 - layout.tile_bits)));
  const std::uint64_t num_chunks = (layout.num_tiles + per_chunk - 1) / per_chunk;
  const std::uint64_t outside = ((std::uint64_t{1} << context.tape.num_qubits) - 1) & ~layout.inside;
  const std::size_t num_sums = totals != nullptr ? segment.num_sums * (states.size() - 1) : 0;
  std::vector<double> sums(num_chunks * num_sums);
  parallel_for(std::int64_t(num_chunks), threads, [&](std::int64_t chunk) {
    double* lanes = nullptr;
    if (num_sums > 0) {
      lanes = workspace().sums.template array<double>(num_sums * std::size_t(context.lanes));
      std::fill_n(lanes, num_sums * std::size_t(context.lanes), 0.0);
    }
    TileRun<T> run(context, plan, bound, number, states, lanes);
    const std::uint64_t first = std::uint64_t(chunk) * per_chunk;
    const std::uint64_t last = std::min(layout.num_tiles, first + per_chunk);
    std::uint64_t base = deposit_bits(first, outside);
    for (std::uint64_t t = first; t < last; ++t) {
      run.run(base);
      base = ((base | layout.inside) + 1) & outside;
    }
    if (num_sums > 0) run.add_lanes(lanes, sums.data() + std::size_t(chunk) * num_sums);
  });
  if (totals == nullptr) return;
  totals->assign(num_sums, 0.0);
  for (std::uint64_t chunk = 0; chunk < num_chunks; ++chunk)
    for (std::size_t i = 0; i < num_sums; ++i) (*totals)[i] += sums[chunk * num_sums + i];
}

/// All segments; after each one that has taps read(segment, totals).
template <class T, class Read>
void run_segments(const FusedPlan& plan, BoundPlan<T>& bound, int isa, const std::vector<T*>& states, int threads,
                  const Read* read) {
  const Context<T> context(*plan.generic_tape, isa, plan.generic);
  std::vector<double> totals;
  for (std::size_t s = 0; s < plan.segments.size(); ++s) {
    const FusedSegment& segment = plan.segments[s];
    if (!segment.planned.whole && !segment.planned.streamed) {
      bind_tables(plan, segment, bound);
      run_segment(context, plan, bound, s, states, threads, read != nullptr ? &totals : nullptr);
      if (read != nullptr) (*read)(segment, totals);
      continue;
    }
    const PlannedOp& op = context.plan.ops[std::size_t(plan.steps[segment.first].index)];
    for (T* const state : states)
      (segment.planned.whole ? run_whole<T> : run_streamed<T>)(context, op, state, bound.generic.data(), threads);
  }
}

}  // namespace

template <class T>
void run_fused(const FusedPlan& plan, BoundPlan<T>& bound, int isa, T* state, int threads) {
  const auto nothing = [](const FusedSegment&, const std::vector<double>&) {};
  run_segments<T, decltype(nothing)>(plan, bound, isa, {state}, threads, nullptr);
}

template <class T>
void sweep_fused(const FusedPlan& plan, BoundPlan<T>& bound, int isa, const std::vector<T*>& states, int threads,
                 const double* weights, const std::int32_t* slots, int num_slots, double* out) {
  const auto read = [&](const FusedSegment& segment, const std::vector<double>& totals) {
    for (std::int32_t i = segment.first; i < segment.last; ++i) {
      if (plan.steps[i].taps < 0) continue;
      const TapPlan& taps = plan.taps[plan.steps[i].taps];
      const double scale = 2 / (bound.excess[i] * bound.excess[i]);
      for (std::size_t k = 0; k + 1 < states.size(); ++k)
        for (std::size_t u = 0; u < taps.uses.size(); ++u) {
          const TapPlan::Use& use = taps.uses[u];
          const std::int32_t instruction = plan.form.taps[use.tap].instruction;
          out[k * std::size_t(num_slots) + std::size_t(slots[instruction])] +=
              scale * weights[instruction] * bound.taps[plan.steps[i].taps][u] * totals[k * segment.num_sums + use.sum];
        }
    }
  };
  run_segments(plan, bound, isa, states, threads, &read);
}

template void run_fused<float>(const FusedPlan&, BoundPlan<float>&, int, float*, int);
template void run_fused<double>(const FusedPlan&, BoundPlan<double>&, int, double*, int);
template void sweep_fused<float>(const FusedPlan&, BoundPlan<float>&, int, const std::vector<float*>&, int, const double*,
                                 const std::int32_t*, int, double*);
template void sweep_fused<double>(const FusedPlan&, BoundPlan<double>&, int, const std::vector<double*>&, int,
                                  const double*, const std::int32_t*, int, double*);

}  // namespace qsim
