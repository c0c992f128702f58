"""``rtmatte``, the command line: ``main`` and one module a command. Imports nothing: signals are caught first."""
