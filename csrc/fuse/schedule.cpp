#include "schedule.hpp"

#include <algorithm>

#include "../execute/bits.hpp"
#include "../execute/threads.hpp"

namespace qsim {
namespace {

using Kind = Node::Kind;

/// What the nodes left behind so far forbid to the ones after them.
struct Barrier {
  std::uint64_t all = 0;       // nothing on these qubits may pass
  std::uint64_t nondiagonal = 0;  // only diagonals may pass
  bool passes(const Node& node) const {
    return (node.active & (all | nondiagonal)) == 0 && (node.diagonal & all) == 0;
  }
  void add(const Node& node) {
    all |= node.active;
    nondiagonal |= node.diagonal;
  }
  bool closes(std::uint64_t qubits) const { return all != 0 && (qubits & ~all) == 0; }
};

// How many nodes in a row may be looked at in vain; keeps planning linear.
constexpr int kMaxIdle = 1024;

class Scheduler {
 public:
  Scheduler(const NormalForm& form, int num_qubits, TileShape shape)
      : form_(form),
        low_((std::uint64_t{1} << std::min(num_qubits, shape.low_bits)) - 1),
        capacity_(shape.active_bits) {
    out_.product.resize(num_qubits);
    for (std::size_t i = 0; i < form.nodes.size(); ++i) left_.push_back(std::int32_t(i));
    for (const Node& n : form.nodes) used_ |= n.active | n.diagonal;
  }

  Schedule make(bool from_zero) {
    if (from_zero) take_product();
    while (!left_.empty()) plan_segment();
    finish();
    return std::move(out_);
  }

 private:
  const Node& node(std::int32_t i) const { return form_.nodes[i]; }

  void take_product() {
    std::uint64_t entangled = 0;
    const auto absorbed = [&](std::int32_t i) {
      const Node& n = node(i);
      const std::uint64_t mask = n.active | n.diagonal;
      const bool simple = (n.kind == Kind::kMix || n.kind == Kind::kPhase) && popcount(mask) <= 1;
      if (!simple || (mask & entangled)) {
        entangled |= mask;
        return false;
      }
      if (mask == 0) return false;  // a global phase waits with the others
      out_.product[log2_of(mask)].push_back(i);
      return true;
    };
    left_.erase(std::remove_if(left_.begin(), left_.end(), absorbed), left_.end());
  }

  /// First come, first served: every node that may pass those left behind and whose qubits still find room.
  void plan_segment() {
    Barrier barrier;
    std::uint64_t active = 0;
    std::vector<std::int32_t> taken, rest;
    ScheduledSegment segment;
    segment.first = std::int32_t(out_.steps.size());
    std::size_t i = 0;
    for (int idle = 0; i < left_.size() && !barrier.closes(used_) && idle < kMaxIdle; ++i, ++idle) {
      checkpoint();
      const Node& n = node(left_[i]);
      const bool passes = barrier.passes(n);
      const bool whole = n.kind == Kind::kWhole || popcount(n.active & ~low_) > capacity_;
      if (passes && whole && taken.empty() && rest.empty()) {
        run_whole(left_[i], segment);
        left_.erase(left_.begin());
        return;
      }
      if (passes && !whole && popcount((active | n.active) & ~low_) <= capacity_) {
        active |= n.active;
        taken.push_back(left_[i]);
        idle = 0;
      } else {
        barrier.add(n);
        rest.push_back(left_[i]);
      }
    }
    rest.insert(rest.end(), left_.begin() + std::ptrdiff_t(i), left_.end());
    left_ = std::move(rest);
    segment.active = active;
    order(taken);
    segment.last = std::int32_t(out_.steps.size());
    if (segment.last > segment.first) out_.segments.push_back(segment);
  }

  void run_whole(std::int32_t i, ScheduledSegment segment) {
    flush(node(i).active, 0);
    if (segment.first < std::int32_t(out_.steps.size())) {  // phases that must come before it: a pass of their own
      segment.last = std::int32_t(out_.steps.size());
      out_.segments.push_back(segment);
      segment.first = segment.last;
    }
    push_step(Step::Kind::kGeneric, {node(i).index});
    segment.whole = true;
    segment.active = node(i).active;
    segment.last = std::int32_t(out_.steps.size());
    out_.segments.push_back(segment);
  }

  /// The steps of one segment: phases wait, other gates go at once, rotations in layers as wide as they get.
  void order(const std::vector<std::int32_t>& taken) {
    std::vector<std::int32_t> next(taken.size() + 1);  // a list to unlink from; position 0 is its head
    for (std::size_t k = 0; k <= taken.size(); ++k) next[k] = std::int32_t(k) + 1;
    const std::int32_t end = std::int32_t(taken.size()) + 1;
    std::vector<std::int32_t> counts(64, 0);  // nodes left that act on a qubit non-diagonally
    std::uint64_t needed = 0;
    const auto count = [&](std::uint64_t mask, int by) {
      for (; mask != 0; mask &= mask - 1) {
        const int q = __builtin_ctzll(mask);
        counts[q] += by;
        needed = counts[q] > 0 ? needed | (std::uint64_t{1} << q) : needed & ~(std::uint64_t{1} << q);
      }
    };
    std::uint64_t used = 0;
    for (const std::int32_t i : taken) {
      count(node(i).active, 1);
      used |= node(i).active | node(i).diagonal;
    }
    std::vector<std::int32_t> layer;
    while (next[0] != end) {
      checkpoint();
      Barrier barrier;
      std::uint64_t mixed = 0;
      layer.clear();
      int idle = 0;
      for (std::int32_t before = 0, k = next[0];
           k != end && !barrier.closes(used) && idle < kMaxIdle; k = next[before]) {
        const Node& n = node(taken[k - 1]);
        if (!barrier.passes(n)) {
          barrier.add(n);
          before = k;
          ++idle;
          continue;
        }
        idle = 0;
        next[before] = next[k];
        if (n.kind == Kind::kPhase) {
          pending_.push_back(n.index);
          pending_mask_ |= n.diagonal;
        } else if (n.kind == Kind::kMix) {
          layer.push_back(n.index);
          mixed |= n.active;
          barrier.add(n);
        } else {
          flush(n.active, needed);
          push_step(n.kind == Kind::kTap ? Step::Kind::kTap : Step::Kind::kGeneric, {n.index});
          count(n.active, -1);
        }
      }
      if (layer.empty()) continue;
      flush(mixed, needed);
      push_step(Step::Kind::kMixes, layer);
      count(mixed, -1);
    }
  }

  /// If phases wait on qubits of `now`, all that wait on those or on `later` are applied.
  void flush(std::uint64_t now, std::uint64_t later) {
    if ((pending_mask_ & now) == 0) return;
    const std::uint64_t wanted = now | later;
    std::vector<std::int32_t> applied, kept;
    pending_mask_ = 0;
    for (const std::int32_t f : pending_) {
      const std::uint64_t mask = qubits_of(f);
      if (mask & wanted) {
        applied.push_back(f);
      } else {
        kept.push_back(f);
        pending_mask_ |= mask;
      }
    }
    pending_ = std::move(kept);
    if (!applied.empty()) push_step(Step::Kind::kPhases, applied);
  }

  std::uint64_t qubits_of(std::int32_t factor) const {
    std::uint64_t mask = 0;
    for (const std::int8_t q : form_.factors[factor].qubits)
      if (q >= 0) mask |= std::uint64_t{1} << q;
    return mask;
  }

  /// Phases that nothing waited for join the last pass.
  void finish() {
    if (!pending_.empty()) {
      const bool join = !out_.segments.empty() && !out_.segments.back().whole;
      if (!join) {
        ScheduledSegment segment;
        segment.first = segment.last = std::int32_t(out_.steps.size());
        out_.segments.push_back(segment);
      }
      push_step(Step::Kind::kPhases, pending_);
      out_.segments.back().last = std::int32_t(out_.steps.size());
    }
  }

  void push_step(Step::Kind kind, const std::vector<std::int32_t>& items) {
    const std::int32_t first = std::int32_t(out_.items.size());
    out_.items.insert(out_.items.end(), items.begin(), items.end());
    out_.steps.push_back(Step{kind, first, std::int32_t(out_.items.size())});
  }

  const NormalForm& form_;
  const std::uint64_t low_;
  std::uint64_t used_ = 0;  // qubits that any node acts on
  const int capacity_;
  std::vector<std::int32_t> left_;
  std::vector<std::int32_t> pending_;  // factors
  std::uint64_t pending_mask_ = 0;
  Schedule out_;
};

}  // namespace

Schedule make_schedule(const NormalForm& form, int num_qubits, TileShape shape, bool from_zero) {
  return Scheduler(form, num_qubits, shape).make(from_zero);
}

}  // namespace qsim
