// Quantum Fourier transform of 12 qubits, applied to a comb.
// The input is the equal superposition of all x = 5 mod 16. Its transform has equal peaks at the multiples
// of 256, whatever the offset: this is how Shor's algorithm reads a period.
// Source: D. Coppersmith (1994), arXiv:quant-ph/0201067.
//
// outcome: 000000000000 0.0625
// outcome: 000100000000 0.0625
// outcome: 001000000000 0.0625
// outcome: 001100000000 0.0625
// outcome: 010000000000 0.0625
// outcome: 010100000000 0.0625
// outcome: 011000000000 0.0625
// outcome: 011100000000 0.0625
// outcome: 100000000000 0.0625
// outcome: 100100000000 0.0625
// outcome: 101000000000 0.0625
// outcome: 101100000000 0.0625
// outcome: 110000000000 0.0625
// outcome: 110100000000 0.0625
// outcome: 111000000000 0.0625
// outcome: 111100000000 0.0625
// observable: 1 * Z0
// observable: 1 * Z1
// observable: 1 * Z2
// observable: 1 * Z3
// observable: 1 * Z4
// observable: 1 * Z5
// observable: 1 * Z6
// observable: 1 * Z7
// value: 8
OPENQASM 2.0;
include "qelib1.inc";
qreg q[12];
creg c[12];
x q[0];
x q[2];
h q[4];
h q[5];
h q[6];
h q[7];
h q[8];
h q[9];
h q[10];
h q[11];
h q[11];
cu1(pi/2) q[10], q[11];
cu1(pi/4) q[9], q[11];
cu1(pi/8) q[8], q[11];
cu1(pi/16) q[7], q[11];
cu1(pi/32) q[6], q[11];
cu1(pi/64) q[5], q[11];
cu1(pi/128) q[4], q[11];
cu1(pi/256) q[3], q[11];
cu1(pi/512) q[2], q[11];
cu1(pi/1024) q[1], q[11];
cu1(pi/2048) q[0], q[11];
h q[10];
cu1(pi/2) q[9], q[10];
cu1(pi/4) q[8], q[10];
cu1(pi/8) q[7], q[10];
cu1(pi/16) q[6], q[10];
cu1(pi/32) q[5], q[10];
cu1(pi/64) q[4], q[10];
cu1(pi/128) q[3], q[10];
cu1(pi/256) q[2], q[10];
cu1(pi/512) q[1], q[10];
cu1(pi/1024) q[0], q[10];
h q[9];
cu1(pi/2) q[8], q[9];
cu1(pi/4) q[7], q[9];
cu1(pi/8) q[6], q[9];
cu1(pi/16) q[5], q[9];
cu1(pi/32) q[4], q[9];
cu1(pi/64) q[3], q[9];
cu1(pi/128) q[2], q[9];
cu1(pi/256) q[1], q[9];
cu1(pi/512) q[0], q[9];
h q[8];
cu1(pi/2) q[7], q[8];
cu1(pi/4) q[6], q[8];
cu1(pi/8) q[5], q[8];
cu1(pi/16) q[4], q[8];
cu1(pi/32) q[3], q[8];
cu1(pi/64) q[2], q[8];
cu1(pi/128) q[1], q[8];
cu1(pi/256) q[0], q[8];
h q[7];
cu1(pi/2) q[6], q[7];
cu1(pi/4) q[5], q[7];
cu1(pi/8) q[4], q[7];
cu1(pi/16) q[3], q[7];
cu1(pi/32) q[2], q[7];
cu1(pi/64) q[1], q[7];
cu1(pi/128) q[0], q[7];
h q[6];
cu1(pi/2) q[5], q[6];
cu1(pi/4) q[4], q[6];
cu1(pi/8) q[3], q[6];
cu1(pi/16) q[2], q[6];
cu1(pi/32) q[1], q[6];
cu1(pi/64) q[0], q[6];
h q[5];
cu1(pi/2) q[4], q[5];
cu1(pi/4) q[3], q[5];
cu1(pi/8) q[2], q[5];
cu1(pi/16) q[1], q[5];
cu1(pi/32) q[0], q[5];
h q[4];
cu1(pi/2) q[3], q[4];
cu1(pi/4) q[2], q[4];
cu1(pi/8) q[1], q[4];
cu1(pi/16) q[0], q[4];
h q[3];
cu1(pi/2) q[2], q[3];
cu1(pi/4) q[1], q[3];
cu1(pi/8) q[0], q[3];
h q[2];
cu1(pi/2) q[1], q[2];
cu1(pi/4) q[0], q[2];
h q[1];
cu1(pi/2) q[0], q[1];
h q[0];
swap q[0], q[11];
swap q[1], q[10];
swap q[2], q[9];
swap q[3], q[8];
swap q[4], q[7];
swap q[5], q[6];
measure q -> c;
