"""Frames from a source to the pipeline."""
