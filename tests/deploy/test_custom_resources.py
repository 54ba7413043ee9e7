"""The objects of deploy/k8s for operators agree with the types of their schemas on npm."""

import copy
import json
from pathlib import Path

from tests.deploy.manifests import CUSTOM, Object, is_custom, name_of, rendered
from tests.deploy.typescript import compiled


def custom(overlay: str = "production-keda") -> list[Object]:
    return [thing for thing in rendered(overlay) if is_custom(thing)]


def faults(things: list[Object], installed: Path, tmp_path: Path) -> dict[int, str]:
    """The compiler's messages about an object, by its place in the list."""
    lines = [
        f"const o{number}: {type_of(thing)} = {json.dumps(thing)};" for number, thing in enumerate(things)
    ]
    return compiled(lines, installed, tmp_path)


def type_of(thing: Object) -> str:
    package = CUSTOM[thing["apiVersion"].rpartition("/")[0]]
    path = f"{package}/{thing['apiVersion']}/{thing['kind']}" if package else "./kept-by-hand.d.ts"
    return f'import("{path}").I{thing["kind"]}'


def test_every_object_is_of_its_kinds_type_and_a_wrong_field_in_any_is_found(
    installed: Path, tmp_path: Path
) -> None:
    things, planted = custom(), copy.deepcopy(custom())
    assert {thing["apiVersion"].rpartition("/")[0] for thing in things} == set(CUSTOM)
    for thing in planted:
        thing["spec"]["wrongField"] = "planted"
    seen = faults([*things, *planted], installed, tmp_path)
    assert {name_of(things[number]): error for number, error in seen.items() if number < len(things)} == {}
    unseen = [name_of(thing) for number, thing in enumerate(planted, len(things)) if number not in seen]
    assert unseen == []
    assert all("wrongField" in error for error in seen.values())


def test_the_dev_overlay_needs_no_operator() -> None:
    assert custom("dev") == []
