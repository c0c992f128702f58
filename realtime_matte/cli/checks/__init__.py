"""The doctor's checks: one file for each thing that is looked at; each yields what it finds.

Only what was really tried and failed is ``bad``: the parts of ``line`` and ``installation``. The rest explains it, and
holds the commands that mend it. Everything of the machine that is read comes through a ``Host``.
"""
