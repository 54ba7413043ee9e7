"""HTTP, in layers. A layer may import only the layers below it (pyproject.toml, "http-rooms").

app | metrics_port      the Litestar application of a service | metrics on a port of their own
    | operators         routes and declarations of what operators read and change
documents | server      OpenAPI and Swagger UI | connections and requests
health | middleware     probes and metrics | ASGI layers between the server and the routes
conventions             rules for every route: problems, headers, paging, idempotency
parsing                 parses and checks bodies, queries and values
"""
