// Ripple-carry adder of two 6-bit numbers: b becomes a + b, with the carry in its own bit.
// a is put into the superposition of 43 and 11, b is 29; a and the sum are measured, so the outcomes are
// "a sum" = "101011 1001000" (43 + 29 = 72) and "001011 0101000".
// Source: S. A. Cuccaro et al. (2004), arXiv:quant-ph/0410184.
//
// outcome: 1010111001000 0.5
// outcome: 0010110101000 0.5
// observable: 1 * Z13
// value: 0
OPENQASM 2.0;
include "qelib1.inc";
gate majority a, b, c { cx c, b; cx c, a; ccx a, b, c; }
gate unmajority a, b, c { ccx a, b, c; cx c, a; cx a, b; }
qreg carry_in[1];
qreg a[6];
qreg b[6];
qreg carry[1];
creg sum[7];
creg a_out[6];
x a[0];
x b[0];
x a[1];
x b[2];
x a[3];
x b[3];
x b[4];
h a[5];
majority carry_in[0], b[0], a[0];
majority a[0], b[1], a[1];
majority a[1], b[2], a[2];
majority a[2], b[3], a[3];
majority a[3], b[4], a[4];
majority a[4], b[5], a[5];
cx a[5], carry[0];
unmajority a[4], b[5], a[5];
unmajority a[3], b[4], a[4];
unmajority a[2], b[3], a[3];
unmajority a[1], b[2], a[2];
unmajority a[0], b[1], a[1];
unmajority carry_in[0], b[0], a[0];
measure b[0] -> sum[0];
measure b[1] -> sum[1];
measure b[2] -> sum[2];
measure b[3] -> sum[3];
measure b[4] -> sum[4];
measure b[5] -> sum[5];
measure carry[0] -> sum[6];
measure a -> a_out;
