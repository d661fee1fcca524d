// Bernstein-Vazirani: one query of f(x) = s.x mod 2 tells all 16 bits of s.
// s = 1011001110001101 comes out with certainty.
// Source: E. Bernstein, U. Vazirani, SIAM J. Comput. 26 (1997) 1411.
//
// outcome: 1011001110001101 1
// observable: 1 * Z0
// observable: 1 * Z1
// observable: 1 * Z2
// observable: 1 * Z3
// observable: 1 * Z4
// observable: 1 * Z5
// observable: 1 * Z6
// observable: 1 * Z7
// observable: 1 * Z8
// observable: 1 * Z9
// observable: 1 * Z10
// observable: 1 * Z11
// observable: 1 * Z12
// observable: 1 * Z13
// observable: 1 * Z14
// observable: 1 * Z15
// value: -2
OPENQASM 2.0;
include "qelib1.inc";
qreg q[16];
qreg answer[1];
creg c[16];
x answer[0];
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
h q[14];
h q[15];
h answer[0];
cx q[0], answer[0];
cx q[2], answer[0];
cx q[3], answer[0];
cx q[7], answer[0];
cx q[8], answer[0];
cx q[9], answer[0];
cx q[12], answer[0];
cx q[13], answer[0];
cx q[15], answer[0];
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
h q[14];
h q[15];
measure q -> c;
