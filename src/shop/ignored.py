"""Warns of environment variables that look like settings, and are ignored."""

import logging
import os
import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches

from kernel.environment import names_of
from shop.services import Shop

# Read by kernel/adapters/embedded/binaries.py, which knows no settings.
_BESIDE_SETTINGS = {"SHOP_PG_BIN"}
# Kubernetes sets these for each Service beside a pod, here for one named `orders` (or `shop`).
_SERVICE_LINK = re.compile(r".*_(SERVICE_(HOST|PORT)|PORT_\d+_(TCP|UDP|SCTP))(_[A-Z0-9_]+)?")
_SIMILAR_MIN = 0.8

logger = logging.getLogger(__name__)


def warn_of_ignored(shop: Shop) -> None:
    """Logs warnings, and removes libpq's variables (PGHOST …) from the environment: the driver and embedded
    servers would use them for parts that a URL leaves out."""
    libpq = sorted(name for name in os.environ if re.fullmatch("PG[A-Z]+", name))
    for name in libpq:
        del os.environ[name]
    if libpq:
        logger.warning("%s: ignored, a database is found by its URL alone", ", ".join(libpq))
    if unknown := list(unknown_settings(shop, os.environ)):
        logger.warning("ignored, no such setting: %s", ", ".join(unknown))


def unknown_settings(shop: Shop, environment: Mapping[str, str]) -> Iterator[str]:
    """Yields variables that are probably misspelled settings, each with the setting that it resembles.

    A variable that begins with SHOP_ is meant for the shop. A variable that begins with a service's name may
    belong to another program, so it is reported only if it resembles a setting. Unknown settings are no
    error: after a rollback, the older release still finds the settings of the newer one.
    """
    known = _BESIDE_SETTINGS.union(*(names_of(type(own)) for own in shop.settings.values()))
    prefixes = tuple(f"{name.upper()}_" for name in shop.services)
    for name in sorted(environment.keys() - known):
        if not environment[name] or _SERVICE_LINK.fullmatch(name):
            continue
        if name.startswith(("SHOP_", *prefixes)):
            similar = get_close_matches(name, known, n=1, cutoff=_SIMILAR_MIN)
            if similar:
                yield f"{name} (is {similar[0]} meant?)"
            elif name.startswith("SHOP_"):
                yield name
