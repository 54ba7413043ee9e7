"""Assembles the parts that every service needs."""
