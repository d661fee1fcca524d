// The kernels for one instruction set; setup.py compiles this file with that set's own flags.
#include "../simd/avx512.hpp"
#include "../tile.inl"
#include "../dense.inl"
#include "../fused.inl"
#include "../pauli.inl"
#include "../lanes.inl"
#include "../peak.inl"
#include "../sampling.inl"

#define QSIM_ISA_NAME "avx512"
#define QSIM_ISA_TABLE kernels_avx512
#include "table.inl"
