"""Each port has an adapter in memory and a real one, by name, and both match it to the letter."""

import importlib
import inspect
import pkgutil
import re

import pytest
from typing_extensions import get_protocol_members, is_protocol

IN_MEMORY, REAL = ("Memory", "InProcess"), ("Postgres", "Rabbit", "Http", "Jwt", "Counted", "System")


def classes(room: str) -> dict[str, type]:
    return classes_of(*(f"{service}.{room}" for service in ("kernel", "orders", "payments")))


def classes_of(*names: str) -> dict[str, type]:
    packages = list(map(importlib.import_module, names))
    found = [module for p in packages for module in pkgutil.walk_packages(p.__path__, f"{p.__name__}.")]
    members = (member for m in found for member in inspect.getmembers(importlib.import_module(m.name)))
    return {name: member for name, member in members if inspect.isclass(member)}


PROTOCOLS = {port for port in classes("ports").values() if is_protocol(port) and "ports" in port.__module__}
PORTS = [port for port in PROTOCOLS if not any(port in other.__bases__ for other in PROTOCOLS)]
ADAPTERS = classes("adapters") | classes_of("tests.memory")


def signature(owner: type, name: str) -> str:
    member = getattr(owner, name, None)
    function = member.fget if isinstance(member, property) else member
    kind = f"{type(member).__name__} {inspect.iscoroutinefunction(function)} "
    return kind + re.sub(r"[~+-](\w+?)(_contra|_co)?\b", r"\1", str(function and inspect.signature(function)))


@pytest.mark.parametrize("technologies", [IN_MEMORY, REAL], ids=["in memory", "real"])
@pytest.mark.parametrize("port", sorted(PORTS, key=str), ids=lambda port: port.__name__)
def test_each_port_has_an_adapter_that_matches_it(port: type, technologies: tuple[str, ...]) -> None:
    names = [technology + port.__name__ for technology in technologies]
    found = [ADAPTERS[name] for name in names if name in ADAPTERS]
    assert found, f"{port} needs an adapter with one of these names: {names}"
    for adapter, name in ((adapter, name) for adapter in found for name in get_protocol_members(port)):
        assert signature(adapter, name) == signature(port, name), f"{adapter.__name__}.{name}"
