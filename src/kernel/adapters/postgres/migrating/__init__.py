"""Migrates databases while services use them, and grants the services' roles their privileges."""
