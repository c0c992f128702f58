"""The effects; each module is one, found by its attributes STAGE and OPTIONS (see ``chain``)."""
