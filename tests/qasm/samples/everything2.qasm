OPENQASM 2.0;
include "qelib1.inc";
opaque magic(alpha) a, b;
opaque iswap a, b;
gate mine(theta, phi) a, b { // comment in the middle
  barrier a, b;
  u3(theta/2, -phi, sin(pi/4)^2) a;
  cx a, b; /* block
  comment */ U(0, 0, ln(exp(1)) * sqrt(4) - 2.5e-1) b;
}
gate nested(x) p, q, r { mine(x, x*2) p, r; mine(-x, cos(x)) q, p; ccx p, q, r; }
gate nothing a {}
qreg q[3];
qreg other[2];
h q;
cx q[0], other;
nested(pi/3) q[0], q[1], other[1];
nothing q;
iswap q[0], q[2];
u0(1) q[0]; u(0.1,0.2,0.3) q[1]; u1(0.4) q[2]; u2(0.5,0.6) q[0]; p(.7) q[1]; id q[2];
x q[0]; y q[1]; z q[2]; s q[0]; sdg q[1]; t q[2]; tdg q[0]; sx q[1]; sxdg q[2];
rx(0.1) q[0]; ry(0.2) q[1]; rz(0.3) q[2];
cz q[0],q[1]; cy q[1],q[2]; ch q[2],q[0]; swap q[0],q[1]; csx q[1],q[2];
crx(0.4) q[0],q[1]; cry(0.5) q[1],q[2]; crz(0.6) q[2],q[0]; cu1(0.7) q[0],q[1]; cp(0.8) q[1],q[2];
cu3(0.1,0.2,0.3) q[0],q[2]; cu(0.1,0.2,0.3,0.4) q[1],q[0]; rxx(0.9) q[0],q[1]; rzz(1.0) q[1],q[2];
ccx q[0],q[1],q[2]; cswap q[2],q[1],q[0]; rccx q[0],q[1],q[2];
rc3x q[0],q[1],q[2],other[0]; c3x q[0],q[1],q[2],other[0]; c3sqrtx q[2],q[1],q[0],other[1];
c4x q[0],q[1],q[2],other[0],other[1];
barrier q, other[0];
CX q[0], q[1];
