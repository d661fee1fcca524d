// Three-qubit bit-flip code: an error on one qubit is found by two syndrome bits and undone.
// The logical state ry(0.8) |0> is encoded, qubit 1 is flipped, the syndrome reads 11, a switch on it puts
// the qubit right, and decoding gives back the state: <Z0> = cos(0.8).
// Source: A. Peres (1985), Phys. Rev. A 32, 3266; M. A. Nielsen, I. L. Chuang (2000), section 10.1.1.
//
// outcome: 011 0.848353354674
// outcome: 111 0.151646645326
// observable: Z0
// value: 0.696706709347
OPENQASM 3.0;
include "stdgates.inc";
qubit[3] data;
qubit[2] check;
bit[2] syndrome;
bit result;

// encode
ry(0.8) data[0];
cx data[0], data[1];
cx data[0], data[2];

// the error
x data[1];

// syndrome: parities of (0, 1) and (1, 2)
cx data[0], check[0];
cx data[1], check[0];
cx data[1], check[1];
cx data[2], check[1];
syndrome = measure check;

switch (int[32](syndrome)) {
  case 1 { x data[0]; }
  case 2 { x data[2]; }
  case 3 { x data[1]; }
  default { }
}

// decode
cx data[0], data[2];
cx data[0], data[1];
result = measure data[0];
