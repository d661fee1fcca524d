// Quantum walk on a cycle of 16 sites: 6 steps of a Hadamard coin from site 8.
// The coin starts in (|0> + i |1>) / sqrt(2), so the walk is symmetric about site 8; it spreads faster than a
// random walk and sits on even sites after an even number of steps. Probabilities by the walk's recursion.
// Source: D. Aharonov et al. (2000), arXiv:quant-ph/0012090; J. Kempe (2003), arXiv:quant-ph/0303081.
//
// outcome: 0010 0.015625
// outcome: 0100 0.28125
// outcome: 0110 0.140625
// outcome: 1000 0.125
// outcome: 1010 0.140625
// outcome: 1100 0.28125
// outcome: 1110 0.015625
// observable: Z0
// value: 1
OPENQASM 3.0;
include "stdgates.inc";
qubit[4] site;
qubit coin;
bit[4] c;

// site + 1 and site - 1, modulo 16
gate increment s0, s1, s2, s3 {
  ctrl(3) @ x s0, s1, s2, s3;
  ccx s0, s1, s2;
  cx s0, s1;
  x s0;
}
gate decrement s0, s1, s2, s3 { inv @ increment s0, s1, s2, s3; }

def walk(qubit[4] s, qubit c, int[32] steps) {
  for int i in [1:steps] {
    h c;
    ctrl @ increment c, s[0], s[1], s[2], s[3];
    negctrl @ decrement c, s[0], s[1], s[2], s[3];
  }
}

x site[3];
h coin;
s coin;
walk(site, coin, 6);
c = measure site;
