"""The backgrounds; each module is a plug-in, named by the first word of a spec (``blur``, ``image:beach.jpg``)."""
