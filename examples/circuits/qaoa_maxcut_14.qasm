// MaxCut on a 3-regular graph of 14 nodes by QAOA, at its optimised angles.
// Three layers. The largest cut has 18 of 21 edges (by trying all); the circuit cuts 16.1707 on average, a
// ratio of 0.8984, and the two likeliest outcomes are the two maximum cuts. The observable counts the
// edges cut.
// Source: E. Farhi, J. Goldstone, S. Gutmann (2014), arXiv:1411.4028; J. Wurtz, D. Lykov, arXiv:2107.00677.
//
// outcome: 01101001110000 0.0453800697601
// outcome: 10010110001111 0.0453800697601
// observable: 10.5
// observable: -0.5 * Z0 Z3
// observable: -0.5 * Z0 Z4
// observable: -0.5 * Z0 Z9
// observable: -0.5 * Z1 Z5
// observable: -0.5 * Z1 Z12
// observable: -0.5 * Z1 Z13
// observable: -0.5 * Z2 Z4
// observable: -0.5 * Z2 Z6
// observable: -0.5 * Z2 Z12
// observable: -0.5 * Z3 Z11
// observable: -0.5 * Z3 Z12
// observable: -0.5 * Z4 Z10
// observable: -0.5 * Z5 Z7
// observable: -0.5 * Z5 Z13
// observable: -0.5 * Z6 Z7
// observable: -0.5 * Z6 Z8
// observable: -0.5 * Z7 Z8
// observable: -0.5 * Z8 Z9
// observable: -0.5 * Z9 Z10
// observable: -0.5 * Z10 Z11
// observable: -0.5 * Z11 Z13
// value: 16.1706911226
OPENQASM 2.0;
include "qelib1.inc";
qreg q[14];
h q[0];
h q[1];
h q[2];
h q[3];
h q[4];
h q[5];
h q[6];
h q[7];
h q[8];
h q[9];
h q[10];
h q[11];
h q[12];
h q[13];
cx q[0], q[3];
rz(-0.4298719) q[3];
cx q[0], q[3];
cx q[0], q[4];
rz(-0.4298719) q[4];
cx q[0], q[4];
cx q[0], q[9];
rz(-0.4298719) q[9];
cx q[0], q[9];
cx q[1], q[5];
rz(-0.4298719) q[5];
cx q[1], q[5];
cx q[1], q[12];
rz(-0.4298719) q[12];
cx q[1], q[12];
cx q[1], q[13];
rz(-0.4298719) q[13];
cx q[1], q[13];
cx q[2], q[4];
rz(-0.4298719) q[4];
cx q[2], q[4];
cx q[2], q[6];
rz(-0.4298719) q[6];
cx q[2], q[6];
cx q[2], q[12];
rz(-0.4298719) q[12];
cx q[2], q[12];
cx q[3], q[11];
rz(-0.4298719) q[11];
cx q[3], q[11];
cx q[3], q[12];
rz(-0.4298719) q[12];
cx q[3], q[12];
cx q[4], q[10];
rz(-0.4298719) q[10];
cx q[4], q[10];
cx q[5], q[7];
rz(-0.4298719) q[7];
cx q[5], q[7];
cx q[5], q[13];
rz(-0.4298719) q[13];
cx q[5], q[13];
cx q[6], q[7];
rz(-0.4298719) q[7];
cx q[6], q[7];
cx q[6], q[8];
rz(-0.4298719) q[8];
cx q[6], q[8];
cx q[7], q[8];
rz(-0.4298719) q[8];
cx q[7], q[8];
cx q[8], q[9];
rz(-0.4298719) q[9];
cx q[8], q[9];
cx q[9], q[10];
rz(-0.4298719) q[10];
cx q[9], q[10];
cx q[10], q[11];
rz(-0.4298719) q[11];
cx q[10], q[11];
cx q[11], q[13];
rz(-0.4298719) q[13];
cx q[11], q[13];
rx(1.10501676) q[0];
rx(1.10501676) q[1];
rx(1.10501676) q[2];
rx(1.10501676) q[3];
rx(1.10501676) q[4];
rx(1.10501676) q[5];
rx(1.10501676) q[6];
rx(1.10501676) q[7];
rx(1.10501676) q[8];
rx(1.10501676) q[9];
rx(1.10501676) q[10];
rx(1.10501676) q[11];
rx(1.10501676) q[12];
rx(1.10501676) q[13];
cx q[0], q[3];
rz(-0.8804444) q[3];
cx q[0], q[3];
cx q[0], q[4];
rz(-0.8804444) q[4];
cx q[0], q[4];
cx q[0], q[9];
rz(-0.8804444) q[9];
cx q[0], q[9];
cx q[1], q[5];
rz(-0.8804444) q[5];
cx q[1], q[5];
cx q[1], q[12];
rz(-0.8804444) q[12];
cx q[1], q[12];
cx q[1], q[13];
rz(-0.8804444) q[13];
cx q[1], q[13];
cx q[2], q[4];
rz(-0.8804444) q[4];
cx q[2], q[4];
cx q[2], q[6];
rz(-0.8804444) q[6];
cx q[2], q[6];
cx q[2], q[12];
rz(-0.8804444) q[12];
cx q[2], q[12];
cx q[3], q[11];
rz(-0.8804444) q[11];
cx q[3], q[11];
cx q[3], q[12];
rz(-0.8804444) q[12];
cx q[3], q[12];
cx q[4], q[10];
rz(-0.8804444) q[10];
cx q[4], q[10];
cx q[5], q[7];
rz(-0.8804444) q[7];
cx q[5], q[7];
cx q[5], q[13];
rz(-0.8804444) q[13];
cx q[5], q[13];
cx q[6], q[7];
rz(-0.8804444) q[7];
cx q[6], q[7];
cx q[6], q[8];
rz(-0.8804444) q[8];
cx q[6], q[8];
cx q[7], q[8];
rz(-0.8804444) q[8];
cx q[7], q[8];
cx q[8], q[9];
rz(-0.8804444) q[9];
cx q[8], q[9];
cx q[9], q[10];
rz(-0.8804444) q[10];
cx q[9], q[10];
cx q[10], q[11];
rz(-0.8804444) q[11];
cx q[10], q[11];
cx q[11], q[13];
rz(-0.8804444) q[13];
cx q[11], q[13];
rx(0.7687353) q[0];
rx(0.7687353) q[1];
rx(0.7687353) q[2];
rx(0.7687353) q[3];
rx(0.7687353) q[4];
rx(0.7687353) q[5];
rx(0.7687353) q[6];
rx(0.7687353) q[7];
rx(0.7687353) q[8];
rx(0.7687353) q[9];
rx(0.7687353) q[10];
rx(0.7687353) q[11];
rx(0.7687353) q[12];
rx(0.7687353) q[13];
cx q[0], q[3];
rz(-1.05788088) q[3];
cx q[0], q[3];
cx q[0], q[4];
rz(-1.05788088) q[4];
cx q[0], q[4];
cx q[0], q[9];
rz(-1.05788088) q[9];
cx q[0], q[9];
cx q[1], q[5];
rz(-1.05788088) q[5];
cx q[1], q[5];
cx q[1], q[12];
rz(-1.05788088) q[12];
cx q[1], q[12];
cx q[1], q[13];
rz(-1.05788088) q[13];
cx q[1], q[13];
cx q[2], q[4];
rz(-1.05788088) q[4];
cx q[2], q[4];
cx q[2], q[6];
rz(-1.05788088) q[6];
cx q[2], q[6];
cx q[2], q[12];
rz(-1.05788088) q[12];
cx q[2], q[12];
cx q[3], q[11];
rz(-1.05788088) q[11];
cx q[3], q[11];
cx q[3], q[12];
rz(-1.05788088) q[12];
cx q[3], q[12];
cx q[4], q[10];
rz(-1.05788088) q[10];
cx q[4], q[10];
cx q[5], q[7];
rz(-1.05788088) q[7];
cx q[5], q[7];
cx q[5], q[13];
rz(-1.05788088) q[13];
cx q[5], q[13];
cx q[6], q[7];
rz(-1.05788088) q[7];
cx q[6], q[7];
cx q[6], q[8];
rz(-1.05788088) q[8];
cx q[6], q[8];
cx q[7], q[8];
rz(-1.05788088) q[8];
cx q[7], q[8];
cx q[8], q[9];
rz(-1.05788088) q[9];
cx q[8], q[9];
cx q[9], q[10];
rz(-1.05788088) q[10];
cx q[9], q[10];
cx q[10], q[11];
rz(-1.05788088) q[11];
cx q[10], q[11];
cx q[11], q[13];
rz(-1.05788088) q[13];
cx q[11], q[13];
rx(0.40411474) q[0];
rx(0.40411474) q[1];
rx(0.40411474) q[2];
rx(0.40411474) q[3];
rx(0.40411474) q[4];
rx(0.40411474) q[5];
rx(0.40411474) q[6];
rx(0.40411474) q[7];
rx(0.40411474) q[8];
rx(0.40411474) q[9];
rx(0.40411474) q[10];
rx(0.40411474) q[11];
rx(0.40411474) q[12];
rx(0.40411474) q[13];
