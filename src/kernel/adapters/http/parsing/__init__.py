"""What a request says: bodies, queries and values, and all that is wrong with them in plain words."""
