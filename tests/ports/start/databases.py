"""Databases to start on."""

from shop.services import OURS, Shop, load_shop

SCHEMAS = {service.name: service.load_schema() for service in OURS if service.schema}
ORDERS, PAYMENTS = SCHEMAS["orders"], SCHEMAS["payments"]
Urls = dict[str, str]


def on(**urls: str) -> Shop:
    """The shop on these databases, by the names of their services."""
    return load_shop({f"{service.upper()}_DATABASE_URL": url for service, url in urls.items()})
