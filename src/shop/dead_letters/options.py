"""The option `--service` of the commands of `shop dead-letters`."""

import click

from shop.service_name import ServiceName
from shop.services import Shop

service_option = click.option(
    "--service",
    type=ServiceName(wanted=lambda service: service.schema),
    help="Only what this service could not handle.",
)


def services_meant(shop: Shop, service: str | None) -> tuple[str, ...]:
    return shop.stores if service is None else (service,)
