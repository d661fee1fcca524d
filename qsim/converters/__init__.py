"""Circuits and observables of other frameworks as qsim's, and back: a module for each framework.

The functions are also at the top level: ``qsim.from_pennylane``, ``qsim.to_pennylane`` and so on.
"""
