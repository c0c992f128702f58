"""Options of the program, declared once in config.Config."""
