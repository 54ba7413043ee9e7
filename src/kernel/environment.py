"""Reads settings from the environment."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar, get_args

import msgspec
from msgspec import Meta

from kernel.adapters.postgres.connections.parameters import UrlProblem
from kernel.adapters.reread import FileText
from kernel.settings import MAY_BE_SECRET, Settings, SettingsError, variables

S = TypeVar("S", bound=Settings)


def load_settings(kind: type[S], environment: Mapping[str, str]) -> S:
    """Returns the settings; an empty variable is unset. Raises SettingsError for the first wrong value.

    A secret, or a URL, which may hold a password, may be in a file that the variable `…_FILE` names.
    """
    values = {
        field.name: _value(variable, field.type, text)
        for variable, field in variables(kind).items()
        if (text := _text(variable, environment))
    }
    return kind(**values)


def names_of(kind: type[Settings]) -> set[str]:
    """Returns the variables of these settings, and the variables that name files of secrets."""
    names = variables(kind).keys()
    return {*names, *(f"{name}_FILE" for name in names if name.endswith(MAY_BE_SECRET))}


def _text(name: str, environment: Mapping[str, str]) -> str:
    text = environment.get(name, "")
    path = environment.get(f"{name}_FILE", "") if name.endswith(MAY_BE_SECRET) else ""
    if not path:
        return text.upper() if name == "LOG_LEVEL" else text
    if text:
        raise SettingsError(f"{name} and {name}_FILE are both set; only one may be")
    try:
        return FileText.read(f"{name}_FILE", Path(path))
    except ValueError as error:
        raise SettingsError(str(error)) from error


def _value(name: str, kind: Any, text: str) -> Any:
    try:
        value = msgspec.convert(text, kind, strict=False, dec_hook=lambda wanted, value: wanted(value))
        for note in _notes(kind):
            if callable(note):
                note(value)
    except UrlProblem as problem:
        raise SettingsError(f"{name} must be {_expected(kind)}: {problem}") from None
    except (msgspec.ValidationError, UnicodeError) as error:  # UnicodeError: it is not UTF-8.
        # The text never quotes the value, which may hold a password.
        raise SettingsError(f"{name} must be {_expected(kind)}") from error
    return text if isinstance(text, FileText) and value == text else value


def _notes(kind: Any) -> list[Any]:
    """Returns the metadata in the annotation of a setting."""
    return [note for part in (kind, *get_args(kind)) for note in getattr(part, "__metadata__", ())]


def _expected(kind: Any) -> str:
    """Returns the values that a setting takes, in words, from its annotation."""
    for note in _notes(kind):
        if isinstance(note, Meta):
            return str(note.description)
    return "one of " + ", ".join(get_args(kind))
