// Iterative phase estimation: one qubit, measured and reset six times, reads a phase bit by bit.
// The eigenvalue is exp(2 pi i 45/64); 45 = 101101 in binary comes out with certainty. The lowest bit is
// measured first; each later measurement is turned back by what the bits so far are worth.
// Source: R. B. Griffiths, C.-S. Niu (1996), arXiv:quant-ph/9511007; M. Dobsicek et al. (2007), arXiv:quant-ph/0610214.
//
// outcome: 101101 1
// observable: Z1
// value: -1
OPENQASM 3.0;
include "stdgates.inc";
const int[32] n = 6;
qubit reader;
qubit target;
bit[n] c;

gate u_phase q { p(2 * pi * 45 / 64) q; }

x target;
for int i in [0:n - 1] {
  reset reader;
  h reader;
  ctrl @ pow(2 ** (n - 1 - i)) @ u_phase reader, target;
  for int j in [0:i - 1] {
    if (c[j]) p(-pi / 2 ** (i - j)) reader;
  }
  h reader;
  c[i] = measure reader;
}
