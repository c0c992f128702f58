"""Synthetic shots for training: people on backgrounds, changed clothes, objects, motion, and the faults of webcams.

Everything random is drawn from one NumPy generator, so that a seed decides the shot.
"""
