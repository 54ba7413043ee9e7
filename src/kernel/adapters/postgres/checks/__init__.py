"""Checks a database before a command uses it: pooling, schema, tables, privileges and lanes."""
