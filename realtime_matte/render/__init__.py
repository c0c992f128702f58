"""From a network's coarse alpha to the composite: refining, upsampling, compositing."""
