"""The shop on given databases, as its commands take it from the settings."""

from shop.services import Shop, load_shop


def on(**urls: str) -> Shop:
    """The shop on these URLs, named by service."""
    return load_shop({f"{service.upper()}_DATABASE_URL": url for service, url in urls.items()})
