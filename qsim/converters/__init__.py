"""Circuits and observables of other frameworks: what ``qsim.from_*`` and ``qsim.to_*`` are made of."""
