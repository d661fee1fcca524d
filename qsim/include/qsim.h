/* The C interface of qsim: programs from gates or OpenQASM 2, run without Python.
 *
 * Every function that returns int32_t returns QSIM_OK or another code below; then qsim_last_error() says in one
 * sentence what is wrong, for the thread that called. Nothing is written to `out` arguments of a call that fails,
 * but for arrays of results, which may be half written. No C++ exception leaves the library.
 *
 * Programs and observables are numbers, 0 being none. A number that is not one of them, or no longer, is an error
 * and never read as an address. They are immutable: threads may share them, and may free them while others run.
 *
 * Qubit 0 is the least significant bit of the index of an amplitude. Angles are in radians. Complex numbers are two
 * numbers in a row, real part first. Arrays are contiguous, the last index running fastest.
 *
 * docs/c_api.md has examples. Lines that a later version adds leave these as they are as long as
 * qsim_abi_version() stays the same; structs say their size and may grow at the end.
 */
#ifndef QSIM_H
#define QSIM_H

#include <stdint.h>

#if defined(QSIM_BUILDING_LIBRARY)
#define QSIM_API __attribute__((visibility("default")))
#else
#define QSIM_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* -- declarations -- */

/* The version of this header; qsim_abi_version() is that of the library. */
#define QSIM_ABI_VERSION 1

#define QSIM_OK 0
#define QSIM_ERROR_ARGUMENT 1    /* the message names the argument */
#define QSIM_ERROR_QASM 2        /* qsim_last_error_line() and qsim_last_error_column() say where */
#define QSIM_ERROR_MEMORY 3      /* more memory than there is */
#define QSIM_ERROR_INTERRUPTED 4 /* the function given to qsim_set_interrupt_check() asked for it */
#define QSIM_ERROR_INTERNAL 5    /* a defect of qsim, or QSIM_ISA names what this processor lacks */

#define QSIM_DOUBLE 0
#define QSIM_SINGLE 1

typedef int64_t qsim_program;
typedef int64_t qsim_observables;

/* shift + scale * params[param]; the number `shift` alone if param is -1. */
typedef struct qsim_angle {
  double shift;
  double scale;
  int32_t param;
  int32_t reserved; /* 0 */
} qsim_angle;

/* One gate. `name` is any name of qsim's gate table, such as "h", "cx", "rzz" (docs/gates.md), or
 *   "unitary"         matrix: 2^k x 2^k complex numbers by rows, the first listed qubit the lowest bit of the index
 *   "diagonal"        matrix: 2^k complex numbers
 *   "pauli_rotation"  paulis: k letters of I, X, Y, Z, the last one for the first listed qubit; one angle
 * `qubits` are the gate's own controls, then its targets. `controls` are further controls of any gate;
 * `control_values` says at which bit each of them lets the gate act, NULL: all at 1. */
typedef struct qsim_gate {
  uint64_t size; /* sizeof(qsim_gate) */
  const char *name;
  const int32_t *qubits;
  const qsim_angle *angles;
  const int32_t *controls;
  const int32_t *control_values;
  const double *matrix;
  const char *paulis;
  int32_t num_qubits;
  int32_t num_angles;
  int32_t num_controls;
  int32_t reserved; /* 0 */
} qsim_gate;

/* How a program runs; a field that is 0 has its default, as have all of them if the pointer is NULL. */
typedef struct qsim_options {
  uint64_t size;       /* sizeof(qsim_options) */
  int32_t precision;   /* QSIM_DOUBLE or QSIM_SINGLE: of the amplitudes */
  int32_t threads;     /* at most this many; 0: one for each processor */
  uint64_t max_memory; /* bytes that one call may allocate; 0: what is free */
} qsim_options;

/* -- versions and errors -- */
QSIM_API int32_t qsim_abi_version(void);
QSIM_API const char *qsim_version(void);
/* Of the last call by this thread that failed; the text stays as it is until the next one does. */
QSIM_API const char *qsim_last_error(void);
QSIM_API int32_t qsim_last_error_code(void);
/* Where in OpenQASM text, from 1; 0 if the error is none of QSIM_ERROR_QASM. */
QSIM_API int32_t qsim_last_error_line(void);
QSIM_API int32_t qsim_last_error_column(void);

/* -- programs -- */
/* A program on |0...0> of at most 62 qubits; `num_params` is the length of a row of parameters. */
QSIM_API int32_t qsim_program_from_gates(const qsim_gate *gates, int64_t num_gates, int32_t num_qubits,
                                         int32_t num_params, const qsim_options *options, qsim_program *out);
/* From OpenQASM 2 text, which has no parameters. Measurements must come last. Includes of qelib1.inc are built in. */
QSIM_API int32_t qsim_program_from_qasm(const char *text, const qsim_options *options, qsim_program *out);
QSIM_API int32_t qsim_program_free(qsim_program program);
/* Any of the pointers may be NULL. `num_bits` is that of the numbers qsim_sample() gives. */
QSIM_API int32_t qsim_program_info(qsim_program program, int32_t *num_qubits, int32_t *num_params, int32_t *num_bits,
                                   int32_t *precision, int32_t *threads);

/* -- observables -- */
/* One observable for each text, a real sum of Pauli strings: "Z0", "0.5 * X0 Y1 - 2 * Z2 + 0.25", or one letter for
 * each qubit, "XIZ", qubit 0 last. */
QSIM_API int32_t qsim_observables_from_text(const char *const *texts, int64_t num_observables, int32_t num_qubits,
                                            qsim_observables *out);
/* Terms offsets[k] .. offsets[k + 1] - 1 belong to observable k, offsets[0] being 0. Bit q of x_masks is set for X and
 * Y on qubit q, that of z_masks for Z and Y. */
QSIM_API int32_t qsim_observables_from_terms(const uint64_t *x_masks, const uint64_t *z_masks,
                                             const double *coefficients, int64_t num_terms, const int64_t *offsets,
                                             int64_t num_observables, int32_t num_qubits, qsim_observables *out);
QSIM_API int32_t qsim_observables_free(qsim_observables observables);

/* -- runs -- */
/* `params` has shape (batch, num_params); it may be NULL if num_params is 0. `length` counts the numbers in `out`
 * and must be exactly that of the shape given here. */

/* Amplitudes (batch, 2^n): 2 * batch * 2^n numbers, double for QSIM_DOUBLE and float for QSIM_SINGLE. */
QSIM_API int32_t qsim_state(qsim_program program, const double *params, int64_t num_params, int64_t batch, double *out,
                            int64_t length);
QSIM_API int32_t qsim_state_single(qsim_program program, const double *params, int64_t num_params, int64_t batch,
                                   float *out, int64_t length);
/* (batch, 2^num_listed); the first listed qubit is the lowest bit of the index. */
QSIM_API int32_t qsim_probabilities(qsim_program program, const double *params, int64_t num_params, int64_t batch,
                                    const int32_t *qubits, int64_t num_listed, double *out, int64_t length);
/* (batch, num_observables) */
QSIM_API int32_t qsim_expectation(qsim_program program, qsim_observables observables, const double *params,
                                  int64_t num_params, int64_t batch, double *out, int64_t length);
/* Values as above, and their derivatives (batch, num_observables, num_params). */
QSIM_API int32_t qsim_value_and_gradient(qsim_program program, qsim_observables observables, const double *params,
                                         int64_t num_params, int64_t batch, double *values, int64_t values_length,
                                         double *gradients, int64_t gradients_length);
/* (batch, shots): bit k of a number is the outcome of classical bit k, or of qubit k if nothing is measured. The same
 * seed gives the same samples as in Python, whatever the number of threads. */
QSIM_API int32_t qsim_sample(qsim_program program, const double *params, int64_t num_params, int64_t batch,
                             int64_t shots, uint64_t seed, int64_t *out, int64_t length);

/* Asked every 50 ms or so by threads that run; a call whose answer is not 0 ends the run. NULL: nobody is asked. */
QSIM_API int32_t qsim_set_interrupt_check(int32_t (*check)(void));

/* -- end of declarations -- */

#ifdef __cplusplus
}
#endif

#endif
