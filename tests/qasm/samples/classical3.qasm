OPENQASM 3.1;
include "stdgates.inc";
pragma qsim nothing
#pragma another
@annotation of the next statement
qubit[2] q;
bit[2] c;
bit[8] word = "00001111";
uint[8] count = 0;
int[8] signed = -100;
bool done = false;
x q[0];
c = measure q;
while (!done) {
  count += 1;
  word = rotl(word, 1);
  if (count == 3 || c[1]) { done = true; }
}
signed -= 100; // wraps to 56
switch (count) {
  case 1, 2 { x q[1]; }
  case 3 { x q; }
  default { }
}
c = measure q;
bit[8] s = bit[8](signed);
bit[2] p;
p = bit[2](uint[2](popcount(word[0:3])));
