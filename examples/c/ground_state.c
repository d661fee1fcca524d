/* The ground state of a chain of spins by gradient descent, and a Bell pair from OpenQASM text, without Python.
 *
 *   cc ground_state.c -I"$(python -c 'import qsim; print(qsim.get_include())')" \
 *      "$(python -c 'import qsim; print(qsim.get_library())')" \
 *      -Wl,-rpath,"$(python -c 'import os, qsim; print(os.path.dirname(qsim.get_library()))')" -o ground_state
 */
#include <qsim.h>
#include <stdio.h>
#include <stdlib.h>

enum { QUBITS = 4, LAYERS = 3, PARAMS = 2 * LAYERS, GATES = QUBITS + LAYERS * (2 * QUBITS - 1), STEPS = 200 };

static void check(int32_t code) {
  if (code == QSIM_OK) return;
  fprintf(stderr, "error %d: %s\n", (int)code, qsim_last_error());
  exit(1);
}

/* Layers of exp(-i a ZZ / 2) on neighbours and exp(-i b X / 2) on each spin, from |+...+>. */
static qsim_program make_ansatz(void) {
  static int32_t qubits[GATES][2];
  static qsim_angle angles[GATES];
  static qsim_gate gates[GATES];
  int32_t count = 0, layer, q;
  qsim_program program;
  for (q = 0; q < QUBITS; ++q) {
    gates[count].name = "h";
    qubits[count++][0] = q;
  }
  for (layer = 0; layer < LAYERS; ++layer)
    for (q = 0; q < 2 * QUBITS - 1; ++q) { /* first the pairs, then the spins */
      const int is_pair = q < QUBITS - 1;
      gates[count].name = is_pair ? "rzz" : "rx";
      qubits[count][0] = is_pair ? q : q - (QUBITS - 1);
      qubits[count][1] = q + 1;
      angles[count].param = 2 * layer + !is_pair;
      angles[count].scale = 1.0;
      ++count;
    }
  for (q = 0; q < count; ++q) {
    gates[q].size = sizeof(qsim_gate);
    gates[q].qubits = qubits[q];
    gates[q].num_qubits = gates[q].name[0] == 'r' && gates[q].name[1] == 'z' ? 2 : 1;
    gates[q].angles = &angles[q];
    gates[q].num_angles = gates[q].name[0] == 'r';
  }
  check(qsim_program_from_gates(gates, count, QUBITS, PARAMS, NULL, &program));
  return program;
}

static void find_ground_state(void) {
  const char *const chain = "-1 * Z0 Z1 - 1 * Z1 Z2 - 1 * Z2 Z3 - 1 * X0 - 1 * X1 - 1 * X2 - 1 * X3";
  const qsim_program program = make_ansatz();
  qsim_observables energy;
  double params[PARAMS], gradient[PARAMS], value = 0.0;
  int step, k;
  check(qsim_observables_from_text(&chain, 1, QUBITS, &energy));
  for (k = 0; k < PARAMS; ++k) params[k] = -0.4;
  for (step = 0; step < STEPS; ++step) {
    check(qsim_value_and_gradient(program, energy, params, PARAMS, 1, &value, 1, gradient, PARAMS));
    for (k = 0; k < PARAMS; ++k) params[k] -= 0.05 * gradient[k];
  }
  printf("energy of the chain: %.6f (the least there is: -4.758770)\n", value);
  check(qsim_observables_free(energy));
  check(qsim_program_free(program));
}

static void sample_bell_pair(void) {
  const char *const text =
      "OPENQASM 2.0;\n"
      "include \"qelib1.inc\";\n"
      "qreg q[2]; creg c[2];\n"
      "h q[0]; cx q[0], q[1];\n"
      "measure q -> c;\n";
  int64_t shots[1000];
  int counts[4] = {0, 0, 0, 0};
  qsim_program bell;
  int k;
  check(qsim_program_from_qasm(text, NULL, &bell));
  check(qsim_sample(bell, NULL, 0, 1, 1000, 1, shots, 1000));
  for (k = 0; k < 1000; ++k) ++counts[shots[k]];
  printf("Bell pair: %d times 00, %d times 01, %d times 10, %d times 11\n", counts[0], counts[1], counts[2],
         counts[3]);
  check(qsim_program_free(bell));
}

int main(void) {
  if (qsim_abi_version() != QSIM_ABI_VERSION) {
    fprintf(stderr, "qsim.h and the library do not fit\n");
    return 1;
  }
  find_ground_state();
  sample_bell_pair();
  return 0;
}
