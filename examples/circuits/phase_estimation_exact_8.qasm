// Phase estimation with 8 counting qubits of the phase gate with eigenvalue exp(2 pi i 181/256).
// The phase has 8 binary digits, so it is read with certainty.
// Source: A. Y. Kitaev (1995), arXiv:quant-ph/9511026; R. Cleve et al. (1998), arXiv:quant-ph/9708016.
//
// outcome: 10110101 1
// observable: 1 * Z7
// value: -1
OPENQASM 2.0;
include "qelib1.inc";
qreg k[8];
qreg target[1];
creg c[8];
x target[0];
h k[0];
h k[1];
h k[2];
h k[3];
h k[4];
h k[5];
h k[6];
h k[7];
cu1(181*pi/128) k[0], target[0];
cu1(53*pi/64) k[1], target[0];
cu1(53*pi/32) k[2], target[0];
cu1(21*pi/16) k[3], target[0];
cu1(5*pi/8) k[4], target[0];
cu1(5*pi/4) k[5], target[0];
cu1(pi/2) k[6], target[0];
cu1(pi) k[7], target[0];
swap k[0], k[7];
swap k[1], k[6];
swap k[2], k[5];
swap k[3], k[4];
h k[0];
cu1(-pi/2) k[0], k[1];
h k[1];
cu1(-pi/4) k[0], k[2];
cu1(-pi/2) k[1], k[2];
h k[2];
cu1(-pi/8) k[0], k[3];
cu1(-pi/4) k[1], k[3];
cu1(-pi/2) k[2], k[3];
h k[3];
cu1(-pi/16) k[0], k[4];
cu1(-pi/8) k[1], k[4];
cu1(-pi/4) k[2], k[4];
cu1(-pi/2) k[3], k[4];
h k[4];
cu1(-pi/32) k[0], k[5];
cu1(-pi/16) k[1], k[5];
cu1(-pi/8) k[2], k[5];
cu1(-pi/4) k[3], k[5];
cu1(-pi/2) k[4], k[5];
h k[5];
cu1(-pi/64) k[0], k[6];
cu1(-pi/32) k[1], k[6];
cu1(-pi/16) k[2], k[6];
cu1(-pi/8) k[3], k[6];
cu1(-pi/4) k[4], k[6];
cu1(-pi/2) k[5], k[6];
h k[6];
cu1(-pi/128) k[0], k[7];
cu1(-pi/64) k[1], k[7];
cu1(-pi/32) k[2], k[7];
cu1(-pi/16) k[3], k[7];
cu1(-pi/8) k[4], k[7];
cu1(-pi/4) k[5], k[7];
cu1(-pi/2) k[6], k[7];
h k[7];
measure k -> c;
