// Runs a fused plan: one pass over the state per segment.
#pragma once

#include "fused_plan.hpp"

namespace qsim {

/// `state`: 2^num_qubits interleaved amplitudes; written without being read if the plan starts from |0...0>.
template <class T>
void run_fused(const FusedPlan& plan, BoundPlan<T>& bound, int isa, T* state, int threads);

}  // namespace qsim
