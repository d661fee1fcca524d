"""Benchmarks. ``bench/README.md`` says what each of them answers."""
