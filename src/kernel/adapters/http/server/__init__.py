"""Our HTTP server: connections, limits, and how requests come in and answers go out."""
