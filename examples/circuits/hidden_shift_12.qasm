// Hidden shift of a bent function: f(x, y) = x.y on 2 x 6 bits, which is its own dual.
// One query of f(z + s) and one of f give s = 110100101101 with certainty.
// Source: M. Roetteler (2010), arXiv:0811.3208.
//
// outcome: 110100101101 1
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
// value: -2
OPENQASM 2.0;
include "qelib1.inc";
qreg q[12];
creg c[12];
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
x q[0];
x q[2];
x q[3];
x q[5];
x q[8];
x q[10];
x q[11];
cz q[0], q[6];
cz q[1], q[7];
cz q[2], q[8];
cz q[3], q[9];
cz q[4], q[10];
cz q[5], q[11];
x q[0];
x q[2];
x q[3];
x q[5];
x q[8];
x q[10];
x q[11];
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
cz q[0], q[6];
cz q[1], q[7];
cz q[2], q[8];
cz q[3], q[9];
cz q[4], q[10];
cz q[5], q[11];
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
measure q -> c;
