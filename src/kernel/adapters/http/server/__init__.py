"""Our HTTP server on top of uvicorn. It limits connections, reads requests and writes answers."""
