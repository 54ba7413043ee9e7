"""HTTP, in rooms. Each may import those below it and none above or beside it (pyproject.toml, "http-rooms").

app                     the application of a service, of its routes
documents | server      what a service says of itself | connections and requests
health | middleware     what operators ask | what stands between the server and the routes
conventions             what every route keeps to
parsing                 what a request says
"""
