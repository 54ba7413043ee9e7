"""What stands between the server and the routes: ASGI applications around an ASGI application."""
