"""The documentation that a service serves: its operations, OpenAPI, Swagger UI."""
