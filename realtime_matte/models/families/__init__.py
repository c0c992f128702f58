"""Families of networks; a module is a family, and is asked whether it recognises a graph."""
