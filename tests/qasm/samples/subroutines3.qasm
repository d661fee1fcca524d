OPENQASM 3.1;
include "stdgates.inc";
// phase estimation of p(2 pi 5/16) with constants, loops, aliases and a subroutine
const int[32] n = 4;
const float turn = 2 * pi * 5 / 2**n;
gate kick(theta) control, target { ctrl @ p(theta) control, target; }
def inverse_fourier(qubit[4] r) {
  for int i in [0:1] { swap r[i], r[n - 1 - i]; }
  for int target in [0:n-1] {
    for int control in [0:target-1] {
      cp(-pi / 2**(target - control)) r[control], r[target];
    }
    h r[target];
  }
}
qubit[n] counting;
qubit eigen;
let all = counting ++ eigen;
bit[n] answer;
x all[-1];
h counting;
for uint k in [0:n-1] {
  pow(2**k) @ kick(turn) counting[k], eigen;
}
inverse_fourier(counting);
answer = measure counting;
