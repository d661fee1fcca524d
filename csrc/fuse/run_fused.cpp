#include "run_fused.hpp"

#include <tuple>

#include "../execute/pass.hpp"

namespace qsim {
namespace {

/// One segment on one tile, block by block where its steps allow it.
template <class T>
class TileRun {
 public:
  TileRun(const Context<T>& context, const FusedPlan& plan, const BoundPlan<T>& bound, std::size_t segment, T* state)
      : context_(context),
        plan_(plan),
        bound_(bound),
        segment_(plan.segments[segment]),
        layout_(segment_.planned.layout),
        scale_(bound.scales[segment]),
        generates_(segment == 0 && plan.from_zero),
        state_(state),
        block_bits_(std::min(plan.block_bits, layout_.tile_bits)),
        num_blocks_(std::uint64_t{1} << (layout_.tile_bits - block_bits_)),
        run_bits_(std::min(layout_.run_bits, block_bits_)),
        block_mask_(block_mask()) {
    bool permutes = false;
    for (std::int32_t i = segment_.first; i < segment_.last; ++i)
      permutes |= plan.steps[std::size_t(i)].kind == FusedKind::kPermute;
    std::tie(re_, im_) = tile_buffer<T>(workspace().tile, layout_.tile_bits);
    if (permutes) {
      std::tie(other_re_, other_im_) = tile_buffer<T>(workspace().other_tile, layout_.tile_bits, kTileGapBytes / 2);
    }
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
          if (!loaded) load_block(block);
          const bool fetches = !loaded && !generates_ && block + 1 < num_blocks_;
          for (std::int32_t step = i; step < end; ++step) {
            if (fetches) fetch_block(block + 1, step - i, end - i);
            run_in_block(plan_.steps[step], block);
            if ((step & 63) == 63) checkpoint();
          }
          if (stores) store_block(block);
        }
      loaded = true;
      if (stores) return;
      for (i = end; i < segment_.last && !plan_.steps[i].blocked; ++i) {
        run_in_tile(plan_.steps[i]);
        checkpoint();
      }
    } while (true);
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
  T* re_of(std::uint64_t block) const { return re_ + (block << block_bits_); }
  T* im_of(std::uint64_t block) const { return im_ + (block << block_bits_); }

  void load_block(std::uint64_t block) {
    if (generates_) return write_product(block);
    const std::size_t runs = std::size_t{1} << (block_bits_ - run_bits_), run = std::size_t{1} << run_bits_;
    const std::size_t first = std::size_t(block) << block_bits_;
    for (std::size_t r = 0; r < runs; ++r)
      context_.kernels.split(state_ + 2 * address(first + r * run), re_ + first + r * run, im_ + first + r * run, run);
  }

  /// Part `part` of `parts` of a block on its way into the cache.
  void fetch_block(std::uint64_t block, int part, int parts) const {
    const std::size_t runs = std::size_t{1} << (block_bits_ - run_bits_), run = std::size_t{1} << run_bits_;
    const std::size_t first = std::size_t(block) << block_bits_;
    for (std::size_t r = runs * part / parts; r < runs * (part + 1) / parts; ++r) {
      const char* const from = reinterpret_cast<const char*>(state_ + 2 * address(first + r * run));
      for (std::size_t line = 0; line < 2 * sizeof(T) * run; line += 64) __builtin_prefetch(from + line, 0, 2);
    }
  }

  void store_block(std::uint64_t block) {
    const std::size_t runs = std::size_t{1} << (block_bits_ - run_bits_), run = std::size_t{1} << run_bits_;
    const std::size_t first = std::size_t(block) << block_bits_;
    if (scale_ != 1) {
      const T constant[2] = {T(scale_), T(0)};
      context_.kernels.fused.multiply_phases(re_of(block), im_of(block), block_bits_, constant, nullptr, nullptr);
    }
    for (std::size_t r = 0; r < runs; ++r)
      context_.kernels.join(re_ + first + r * run, im_ + first + r * run, state_ + 2 * address(first + r * run), run,
                            nullptr);
  }

  /// Amplitude at a place of the tile; the place is a multiple of the run.
  std::uint64_t address(std::size_t place) const {
    return base_ + layout_.run_offsets[place >> layout_.run_bits] +
           (place & ((std::size_t{1} << layout_.run_bits) - 1));
  }

  void write_product(std::uint64_t block) {
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
    context_.kernels.fused.write_product(re_of(block), im_of(block), block_bits_, c, factors);
  }

  void run_in_block(const FusedStep& step, std::uint64_t block) {
    if (step.kind == FusedKind::kPhases) return multiply_phases(step.index, block);
    if (step.kind == FusedKind::kMixes) {
      const MixPlan& mix = plan_.mixes[step.index];
      if (mix.in_lanes) {
        const BoundMix<T>& bound = bound_.mixes[step.index];
        context_.kernels.fused.mix_lanes[mix.count - 1](re_of(block), im_of(block), mix.patterns, bound.lanes.data(),
                                                        bound.phased, bound.lane_phases.data(),
                                                        (std::size_t{1} << block_bits_) / context_.lanes);
        return;
      }
      return run_mix(step.index, groups_of(mix) / num_blocks_, block);
    }
    run_generic(step.index, block, num_blocks_);
  }

  void run_in_tile(const FusedStep& step) {
    if (step.kind == FusedKind::kPermute) return permute(plan_.permutes[std::size_t(step.index)]);
    if (step.kind == FusedKind::kMixes) return run_mix(step.index, groups_of(plan_.mixes[step.index]), 0);
    run_generic(step.index, 0, 1);
  }

  /// The amplitude at y comes from where the exchanges, undone from the last to the first, lead.
  void permute(const PermutePlan& plan) {
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
    context_.kernels.fused.permute_tile(re_, im_, other_re_, other_im_, layout_.tile_bits, map);
    std::swap(re_, other_re_);
    std::swap(im_, other_im_);
  }

  std::uint64_t groups_of(const MixPlan& mix) const {
    return ((std::uint64_t{1} << layout_.tile_bits) / std::uint64_t(context_.lanes)) >> mix.count;
  }

  void run_mix(std::int32_t index, std::uint64_t groups, std::uint64_t part) {
    const MixPlan& mix = plan_.mixes[index];
    const BoundMix<T>& bound = bound_.mixes[index];
    if (mix.phased)
      return context_.kernels.fused.mix_with_phases[mix.count - 1](re_, im_, mix.op, bound.with_phases, part * groups,
                                                                   (part + 1) * groups);
    context_.kernels.fused.mix_registers[mix.count - 1][bound.reflects](re_, im_, mix.op, bound.t, bound.flips,
                                                                        part * groups, (part + 1) * groups);
  }

  void run_generic(std::int32_t index, std::uint64_t part, std::uint64_t parts) {
    const PlannedOp& op = context_.plan.ops[std::size_t(index)];
    if ((base_ & op.outer_ctrl_mask) != op.outer_ctrl_value) return;
    const void* const coefficients = coefficients_of(context_, op, bound_.generic.data());
    if (op.kernel == nullptr) return apply_groups_in_tile(context_, layout_, op, coefficients, re_, im_);
    const std::uint64_t groups = op.tile.num_groups / parts;
    reinterpret_cast<TileKernel<T>>(op.kernel)(re_, im_, op.tile, static_cast<const T*>(coefficients),
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
    context_.kernels.fused.multiply_phases(re_of(block), im_of(block), block_bits_, c,
                                           phase.has_products ? factors : nullptr,
                                           bound.table);
  }

  const Context<T>& context_;
  const FusedPlan& plan_;
  const BoundPlan<T>& bound_;
  const FusedSegment& segment_;
  const TileLayout& layout_;
  const double scale_;
  const bool generates_;
  T* const state_;
  T *re_, *im_;
  T *other_re_ = nullptr, *other_im_ = nullptr;  // where a permutation goes to
  const int block_bits_;
  const std::uint64_t num_blocks_;
  const int run_bits_;
  const std::uint64_t block_mask_;
  std::uint64_t base_ = 0;
};

template <class T>
void run_segment(const Context<T>& context, const FusedPlan& plan, const BoundPlan<T>& bound, std::size_t number,
                 T* state, int threads) {
  const TileLayout& layout = plan.segments[number].planned.layout;
  const std::uint64_t per_chunk = std::max<std::uint64_t>(
      1, std::min(layout.num_tiles / (std::uint64_t(threads) * 8), std::uint64_t{1} << std::max(0, 18 - layout.tile_bits)));
  const std::uint64_t outside = ((std::uint64_t{1} << context.tape.num_qubits) - 1) & ~layout.inside;
  parallel_for(std::int64_t((layout.num_tiles + per_chunk - 1) / per_chunk), threads, [&](std::int64_t chunk) {
    TileRun<T> run(context, plan, bound, number, state);
    const std::uint64_t first = std::uint64_t(chunk) * per_chunk;
    const std::uint64_t last = std::min(layout.num_tiles, first + per_chunk);
    std::uint64_t base = deposit_bits(first, outside);
    for (std::uint64_t t = first; t < last; ++t) {
      run.run(base);
      base = ((base | layout.inside) + 1) & outside;
    }
  });
}

}  // namespace

template <class T>
void run_fused(const FusedPlan& plan, BoundPlan<T>& bound, int isa, T* state, int threads) {
  const Context<T> context(*plan.generic_tape, isa, plan.generic);
  for (std::size_t s = 0; s < plan.segments.size(); ++s) {
    const FusedSegment& segment = plan.segments[s];
    if (!segment.planned.whole && !segment.planned.streamed) {
      bind_tables(plan, segment, bound);
      run_segment(context, plan, bound, s, state, threads);
      continue;
    }
    const PlannedOp& op = context.plan.ops[std::size_t(plan.steps[segment.first].index)];
    (segment.planned.whole ? run_whole<T> : run_streamed<T>)(context, op, state, bound.generic.data(), threads);
  }
}

template void run_fused<float>(const FusedPlan&, BoundPlan<float>&, int, float*, int);
template void run_fused<double>(const FusedPlan&, BoundPlan<double>&, int, double*, int);

}  // namespace qsim
