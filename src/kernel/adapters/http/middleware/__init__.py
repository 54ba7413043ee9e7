"""ASGI middleware between the server and the routes."""
