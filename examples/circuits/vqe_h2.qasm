// Ground state of the hydrogen molecule by VQE, at its optimum.
// Basis STO-3G at 0.735 Angstrom, Jordan-Wigner. Electronic energy by exact diagonalisation: -1.857275031
// Hartree, which the one-parameter ansatz reaches; with the nuclear repulsion 0.719968994 that is
// -1.137306037. Hartree-Fock alone has -1.836967992.
// Source: A. Peruzzo et al. (2013), arXiv:1304.3061; P. J. J. O'Malley et al. (2015), arXiv:1512.06860.
//
// outcome: 0101 0.987559734389
// outcome: 1010 0.0124402656107
// observable: -0.8105479816
// observable: 0.1721839326 * Z0
// observable: -0.2257534922 * Z1
// observable: 0.1721839326 * Z2
// observable: -0.2257534922 * Z3
// observable: 0.1209126326 * Z0 Z1
// observable: 0.1209126326 * Z2 Z3
// observable: 0.1689275387 * Z0 Z2
// observable: 0.1746434307 * Z1 Z3
// observable: 0.1661454326 * Z0 Z3
// observable: 0.1661454326 * Z1 Z2
// observable: 0.0452327999 * X0 X1 X2 X3
// observable: 0.0452327999 * X0 X1 Y2 Y3
// observable: 0.0452327999 * Y0 Y1 X2 X3
// observable: 0.0452327999 * Y0 Y1 Y2 Y3
// value: -1.85727503116
OPENQASM 2.0;
include "qelib1.inc";
qreg q[4];
x q[0];
x q[2];
sdg q[0];
h q[0];
h q[1];
h q[2];
h q[3];
cx q[0], q[1];
cx q[1], q[2];
cx q[2], q[3];
rz(0.223536998071) q[3];
cx q[2], q[3];
cx q[1], q[2];
cx q[0], q[1];
h q[0];
h q[1];
h q[2];
h q[3];
s q[0];
