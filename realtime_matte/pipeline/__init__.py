"""The pipeline: opens the parts in order, runs them frame by frame, closes them in reverse."""
