"""Which operation follows which, and what it needs of the first one's answer (OpenAPI links)."""

from litestar.openapi.spec import Link


def to(*operations: str, **parameters: str) -> dict[str, Link]:
    """For `answering_with`. A document shows the links to operations that it has itself."""
    return {name: Link(operation_id=name, parameters=parameters) for name in operations}
