"""Databases to start on."""

from shop.services import OURS

SCHEMAS = {service.name: service.load_schema() for service in OURS if service.schema}
ORDERS, PAYMENTS = SCHEMAS["orders"], SCHEMAS["payments"]
Urls = dict[str, str]
