"""Where output frames go; a module is an output, its name the word of a spec."""
