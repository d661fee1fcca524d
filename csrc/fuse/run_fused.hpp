// Runs a fused plan: one pass over the state per segment.
#pragma once

#include "fused_plan.hpp"

namespace qsim {

/// `state`: 2^num_qubits interleaved amplitudes; written without being read if the plan starts from |0...0>.
template <class T>
void run_fused(const FusedPlan& plan, BoundPlan<T>& bound, int isa, T* state, int threads);

/// The same for a reverse tape on a state (first in `states`) and its cotangents, which all may be overwritten. Adds to
/// out (cotangents, num_slots) the derivatives: weights[i] times those of instruction i by slots[i].
template <class T>
void sweep_fused(const FusedPlan& plan, BoundPlan<T>& bound, int isa, const std::vector<T*>& states, int threads,
                 const double* weights, const std::int32_t* slots, int num_slots, double* out);

}  // namespace qsim
