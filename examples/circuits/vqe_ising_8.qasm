// Ground state of the critical transverse-field Ising ring of 8 spins by VQE.
// H = -sum Z Z - sum X. The Hamiltonian-variational ansatz of 4 layers contains the exact ground state,
// whose energy is -2 / sin(pi / 16) = -10.251661791; the angles are optimised.
// Source: W. W. Ho, T. H. Hsieh (2018), arXiv:1803.00026; G. B. Mbeng et al. (2019), arXiv:1906.08948.
//
// outcome: 00000000 0.210754794431
// outcome: 11111111 0.210754794431
// observable: -1 * Z0 Z1
// observable: -1 * Z1 Z2
// observable: -1 * Z2 Z3
// observable: -1 * Z3 Z4
// observable: -1 * Z4 Z5
// observable: -1 * Z5 Z6
// observable: -1 * Z6 Z7
// observable: -1 * Z0 Z7
// observable: -1 * X0
// observable: -1 * X1
// observable: -1 * X2
// observable: -1 * X3
// observable: -1 * X4
// observable: -1 * X5
// observable: -1 * X6
// observable: -1 * X7
// value: -10.251661791
OPENQASM 2.0;
include "qelib1.inc";
qreg q[8];
h q[0];
h q[1];
h q[2];
h q[3];
h q[4];
h q[5];
h q[6];
h q[7];
cx q[0], q[1];
rz(1.62270044) q[1];
cx q[0], q[1];
cx q[1], q[2];
rz(1.62270044) q[2];
cx q[1], q[2];
cx q[2], q[3];
rz(1.62270044) q[3];
cx q[2], q[3];
cx q[3], q[4];
rz(1.62270044) q[4];
cx q[3], q[4];
cx q[4], q[5];
rz(1.62270044) q[5];
cx q[4], q[5];
cx q[5], q[6];
rz(1.62270044) q[6];
cx q[5], q[6];
cx q[6], q[7];
rz(1.62270044) q[7];
cx q[6], q[7];
cx q[7], q[0];
rz(1.62270044) q[0];
cx q[7], q[0];
rx(1.42627838) q[0];
rx(1.42627838) q[1];
rx(1.42627838) q[2];
rx(1.42627838) q[3];
rx(1.42627838) q[4];
rx(1.42627838) q[5];
rx(1.42627838) q[6];
rx(1.42627838) q[7];
cx q[0], q[1];
rz(-1.15569678) q[1];
cx q[0], q[1];
cx q[1], q[2];
rz(-1.15569678) q[2];
cx q[1], q[2];
cx q[2], q[3];
rz(-1.15569678) q[3];
cx q[2], q[3];
cx q[3], q[4];
rz(-1.15569678) q[4];
cx q[3], q[4];
cx q[4], q[5];
rz(-1.15569678) q[5];
cx q[4], q[5];
cx q[5], q[6];
rz(-1.15569678) q[6];
cx q[5], q[6];
cx q[6], q[7];
rz(-1.15569678) q[7];
cx q[6], q[7];
cx q[7], q[0];
rz(-1.15569678) q[0];
cx q[7], q[0];
rx(0.24398394) q[0];
rx(0.24398394) q[1];
rx(0.24398394) q[2];
rx(0.24398394) q[3];
rx(0.24398394) q[4];
rx(0.24398394) q[5];
rx(0.24398394) q[6];
rx(0.24398394) q[7];
cx q[0], q[1];
rz(0.80322676) q[1];
cx q[0], q[1];
cx q[1], q[2];
rz(0.80322676) q[2];
cx q[1], q[2];
cx q[2], q[3];
rz(0.80322676) q[3];
cx q[2], q[3];
cx q[3], q[4];
rz(0.80322676) q[4];
cx q[3], q[4];
cx q[4], q[5];
rz(0.80322676) q[5];
cx q[4], q[5];
cx q[5], q[6];
rz(0.80322676) q[6];
cx q[5], q[6];
cx q[6], q[7];
rz(0.80322676) q[7];
cx q[6], q[7];
cx q[7], q[0];
rz(0.80322676) q[0];
cx q[7], q[0];
rx(-1.2258314) q[0];
rx(-1.2258314) q[1];
rx(-1.2258314) q[2];
rx(-1.2258314) q[3];
rx(-1.2258314) q[4];
rx(-1.2258314) q[5];
rx(-1.2258314) q[6];
rx(-1.2258314) q[7];
cx q[0], q[1];
rz(-4.95229416) q[1];
cx q[0], q[1];
cx q[1], q[2];
rz(-4.95229416) q[2];
cx q[1], q[2];
cx q[2], q[3];
rz(-4.95229416) q[3];
cx q[2], q[3];
cx q[3], q[4];
rz(-4.95229416) q[4];
cx q[3], q[4];
cx q[4], q[5];
rz(-4.95229416) q[5];
cx q[4], q[5];
cx q[5], q[6];
rz(-4.95229416) q[6];
cx q[5], q[6];
cx q[6], q[7];
rz(-4.95229416) q[7];
cx q[6], q[7];
cx q[7], q[0];
rz(-4.95229416) q[0];
cx q[7], q[0];
rx(1.77888358) q[0];
rx(1.77888358) q[1];
rx(1.77888358) q[2];
rx(1.77888358) q[3];
rx(1.77888358) q[4];
rx(1.77888358) q[5];
rx(1.77888358) q[6];
rx(1.77888358) q[7];
