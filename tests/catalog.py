"""The catalogue that our own services make."""

from shop.services import load_shop

CATALOG = load_shop({}).catalog
