// Repeat until success: a fair three-sided die from Hadamard and Toffoli gates.
// A flag marks 11 in the superposition of all four; when it is measured as 1, once in 4 tries, the try has
// failed and all starts again. What is left is (|00> + |01> + |10>) / sqrt(3): each face with probability 1/3.
// Source: the idea in A. Paetznick, K. M. Svore (2014), arXiv:1311.1074.
//
// outcome: 000 0.333333333333
// outcome: 010 0.333333333333
// outcome: 100 0.333333333333
// observable: Z0 Z1
// value: -0.333333333333
OPENQASM 3.0;
include "stdgates.inc";
qubit[2] face;
qubit flag;
bit failed = 1;
bit[2] result;

while (failed) {
  reset face;
  reset flag;
  h face;
  ccx face[0], face[1], flag;
  failed = measure flag;
}
result = measure face;
