"""Families of networks. Each module is one family; ``models/family.py`` finds them and says what they implement."""
