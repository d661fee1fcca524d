// Teleportation with feed-forward: the state rz(0.7) ry(1.1) |0> moves from qubit 0 to qubit 2.
// The two measured bits are uniform and independent of the state; corrected by them, qubit 2 has
// <Z> = cos(1.1), and measuring it gives 0 with probability cos(0.55)^2.
// Source: C. H. Bennett et al., Phys. Rev. Lett. 70 (1993) 1895.
//
// outcome: 000 0.181699515178
// outcome: 001 0.181699515178
// outcome: 010 0.181699515178
// outcome: 011 0.181699515178
// outcome: 100 0.0683004848218
// outcome: 101 0.0683004848218
// outcome: 110 0.0683004848218
// outcome: 111 0.0683004848218
// observable: Z2
// value: 0.453596121426
OPENQASM 3.0;
include "stdgates.inc";
qubit[3] q;
bit[2] sent;
bit received;

// the state to send
ry(1.1) q[0];
rz(0.7) q[0];

// the shared pair
h q[1];
cx q[1], q[2];

// the sender's Bell measurement
cx q[0], q[1];
h q[0];
sent[0] = measure q[0];
sent[1] = measure q[1];

// the receiver's correction
if (sent[1]) x q[2];
if (sent[0]) z q[2];

received = measure q[2];
