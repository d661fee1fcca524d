// Inverse quantum Fourier transform of 20 qubits, in loops.
// The input is the plane wave sum_x exp(2 pi i k x / 2^20) |x>, a product state made by one phase on each
// qubit. The inverse transform turns it into |k>, with the bits in reverse order, which the measurement
// puts right: k = 11010110011101001011 (in binary) comes out with certainty.
// Source: D. Coppersmith (1994), arXiv:quant-ph/0201067.
//
// outcome: 11010110011101001011 1
// observable: Z0 + Z1 + Z2
// value: -1
OPENQASM 3.0;
include "stdgates.inc";
const int[32] n = 20;
const int[32] k = 0b11010110011101001011;
qubit[n] q;
bit[n] c;

// the plane wave
for int i in [0:n - 1] {
  h q[i];
  p(2 * pi * k / 2 ** (n - i)) q[i];
}

// the inverse transform, from the highest qubit down
for int i in [n - 1:-1:0] {
  for int j in [i + 1:n - 1] {
    cp(-pi / 2 ** (j - i)) q[j], q[i];
  }
  h q[i];
}

for int i in [0:n - 1] {
  c[i] = measure q[n - 1 - i];
}
