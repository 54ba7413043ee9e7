"""HTTP, in layers. Each may import those below it and none above or beside it (pyproject.toml, "http-rooms").

app                     makes the Litestar application of a service from its routes
documents | server      OpenAPI and Swagger UI | connections and requests
health | middleware     probes and metrics | ASGI layers between the server and the routes
conventions             rules for every route: problems, headers, paging, idempotency
parsing                 parses and checks bodies, queries and values
"""
