"""Where frames come from; a module is a source, its name the word of a spec."""
