"""Parses bodies, queries and values of requests, and describes all their faults in plain words."""
