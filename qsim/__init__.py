"""qsim: statevector simulation for quantum machine learning."""
