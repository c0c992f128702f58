"""The errors users meet. Each says what failed, with the value; what there is instead; the mend."""


class MatteError(Exception):
    """Something the user can mend; the command line prints it as one line and exits with status 2."""


class SpecError(MatteError, ValueError):
    """A setting or a spec (such as ``camera:0``) is malformed, unknown or out of range."""


class MissingFile(MatteError, FileNotFoundError):
    """A file or folder the user named is not there, or cannot be read."""


class BadFile(MatteError, ValueError):
    """A file is there, and is not what it should be: no picture, no video, no model."""


class SourceError(MatteError, OSError):
    """A source cannot be opened: absent, busy, not permitted."""


class SourceLost(SourceError):
    """A source that was running went away (unplugged, asleep, stalled); opening it again may succeed."""


class SinkError(MatteError, OSError):
    """An output cannot be opened or written."""


class ModelError(MatteError, RuntimeError):
    """A network cannot be loaded, is of no known family, or failed while running."""


class MissingDependency(MatteError, ImportError):
    """A package, a system library or an optional extra is missing; the message names what to install."""
