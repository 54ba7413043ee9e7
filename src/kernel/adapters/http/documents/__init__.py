"""What a service says of itself: its operations, OpenAPI, Swagger UI."""
