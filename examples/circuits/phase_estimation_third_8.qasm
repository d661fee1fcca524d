// Phase estimation with 8 counting qubits of the phase gate with eigenvalue exp(2 pi i 1/3).
// The phase has no finite binary expansion; with d the distance of k from 2^n * phase, P(k) =  sin(pi d)^2
// / (2^n sin(pi d / 2^n))^2. The outcomes listed are the likeliest.
// Source: A. Y. Kitaev (1995), arXiv:quant-ph/9511026; R. Cleve et al. (1998), arXiv:quant-ph/9708016.
//
// outcome: 01010101 0.683921804296
// outcome: 01010110 0.170983312145
// outcome: 01010100 0.0427486892506
// outcome: 01010111 0.0273605345999
// outcome: 01010011 0.0139613253144
// outcome: 01011000 0.0106900341017
// observable: 1 * Z7
// value: 0.995661865094
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
cu1(2*pi/3) k[0], target[0];
cu1(4*pi/3) k[1], target[0];
cu1(2*pi/3) k[2], target[0];
cu1(4*pi/3) k[3], target[0];
cu1(2*pi/3) k[4], target[0];
cu1(4*pi/3) k[5], target[0];
cu1(2*pi/3) k[6], target[0];
cu1(4*pi/3) k[7], target[0];
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
