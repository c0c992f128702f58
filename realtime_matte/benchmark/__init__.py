"""Measures the whole pipeline on this machine: ``rtmatte bench`` and the scripts in ``benchmarks/``."""
