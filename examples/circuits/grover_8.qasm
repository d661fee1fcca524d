// Grover's search for 01101100 among 256 strings, 12 rounds, with control modifiers.
// The success probability is sin((2k + 1) theta)^2 with sin(theta) = 2^(-n/2): 0.999947.
// Source: L. K. Grover (1996), arXiv:quant-ph/9605043; M. Boyer et al. (1998), arXiv:quant-ph/9605034.
//
// outcome: 01101100 0.999947042103
// observable: Z0
// value: 0.999946834425
OPENQASM 3.0;
include "stdgates.inc";

// -1 on |01101100>, which reads q[7] ... q[0]: Z on q[7], turned over, behind controls on the others
gate marked_phase q0, q1, q2, q3, q4, q5, q6, q7 {
  x q7;
  negctrl(2) @ ctrl(2) @ negctrl @ ctrl(2) @ z q0, q1, q2, q3, q4, q5, q6, q7;
  x q7;
}

// -1 on |00000000>
gate zero_phase q0, q1, q2, q3, q4, q5, q6, q7 {
  x q7;
  negctrl(7) @ z q0, q1, q2, q3, q4, q5, q6, q7;
  x q7;
}

qubit[8] q;
bit[8] c;

h q;
for uint round in [1:12] {
  marked_phase q[0], q[1], q[2], q[3], q[4], q[5], q[6], q[7];
  // reflection about the mean
  h q;
  zero_phase q[0], q[1], q[2], q[3], q[4], q[5], q[6], q[7];
  h q;
}
c = measure q;
