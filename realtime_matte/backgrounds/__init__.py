"""What is put behind the person; a module is a background, its name the word of a spec."""
