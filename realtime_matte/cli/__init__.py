"""``rtmatte``, the command line: ``main`` and one module a verb. Nothing is imported here: signals are caught first."""
