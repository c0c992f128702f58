"""Frames from a source to the pipeline: worker -> mailbox -> pipeline for a live source, playback for a file."""
