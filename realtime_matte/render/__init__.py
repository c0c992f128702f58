"""From a coarse alpha to the picture that is sent."""
