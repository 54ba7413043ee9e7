"""What is checked of a database before anything is done with it."""
