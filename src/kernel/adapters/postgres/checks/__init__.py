"""Checks of a database before it is used."""
