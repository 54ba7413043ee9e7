"""The routes below /ops that every service with a database has, for the gateway to join."""
