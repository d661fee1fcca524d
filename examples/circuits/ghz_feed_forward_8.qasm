// GHZ state of 8 qubits in constant depth: measured parities of neighbours say which qubits to flip.
// Seven helper qubits measure Z Z of neighbours on |+>^8; a qubit is flipped where the parities up to it add
// up to an odd number. The parities are random (written as dots), the state is not: <Z0 Z7> = 1.
// Source: L. Piroli, G. Styliaris, J. I. Cirac (2021), arXiv:2103.13367; E. Baeumer et al. (2023), arXiv:2308.13065.
//
// outcome: 00000000....... 0.5
// outcome: 11111111....... 0.5
// outcome: ........1010101 0.0078125
// observable: Z0 Z7
// value: 1
OPENQASM 3.0;
include "stdgates.inc";
const int[32] n = 8;
qubit[n] q;
qubit[n - 1] helper;
bit[n - 1] parity;
bit[n] c;
bool odd = false;

h q;
cx q[0:n - 2], helper;
cx q[1:n - 1], helper;
parity = measure helper;
for int i in [0:n - 2] {
  odd = odd ^ parity[i];
  if (odd) x q[i + 1];
}
c = measure q;
