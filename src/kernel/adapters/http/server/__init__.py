"""Our HTTP server on top of uvicorn: connections, limits, reading of requests and writing of answers."""
