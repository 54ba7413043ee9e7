"""Finds all faults of a JSON body that the decoder has refused."""

import json
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from typing import Annotated, Any, get_args, get_origin

import msgspec

from kernel.adapters.http.parsing.words import must_be, shown_json
from kernel.contracts.values import decoder
from kernel.domain.errors import FieldError, Invalid

# The most faults in an answer. Without a limit, the answer could be larger than the body.
FAULTS_MAX = 100
_NAME_MAX = 100  # characters
NOT_READABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def invalid(errors: list[FieldError]) -> Invalid:
    return Invalid("; ".join(f"{error.field}: {error.message}" for error in errors), *errors)


def refusal(body: bytes, kind: Any) -> Invalid:
    """The error for a body that cannot be decoded to a `kind`. It names at most FAULTS_MAX faults."""
    try:
        errors = list(islice(_faults(body, kind, ""), FAULTS_MAX))
    except NOT_READABLE as error:
        errors = [FieldError("body", _unreadable(body, error))]
    return invalid(errors or [FieldError("body", "cannot be read")])


def repeats_a_key(body: bytes) -> bool:
    """Whether any object of this valid JSON has a key twice."""
    return any(len(dict(pairs)) < len(pairs) for pairs in _objects(body))


def _unreadable(body: bytes, error: Exception) -> str:
    if isinstance(error, UnicodeDecodeError):
        return f"is not UTF-8: it holds the byte 0x{error.object[error.start]:02x}"
    if isinstance(error, RecursionError):
        return "is nested too deeply"
    if _is_json(body):  # Half of a surrogate pair is the only thing that Python accepts and msgspec refuses.
        return "holds half of a surrogate pair, which is not a character"
    text = str(error)
    if text == "Input data was truncated":
        return "is not JSON: it ends too early"
    return f"is not JSON: {text.removeprefix('JSON is malformed: ')}"


def _is_json(body: bytes) -> bool:
    try:
        # `int` raises ValueError for NaN and Infinity, which are not JSON.
        json.loads(body.decode(), parse_int=str, parse_constant=int)
    except (ValueError, RecursionError):
        return False
    return True


def _faults(body: bytes, kind: Any, path: str) -> Iterator[FieldError]:
    bare = get_args(kind)[0] if get_origin(kind) is Annotated else kind
    if get_origin(bare) is list:
        yield from _faults_of_array(body, kind, get_args(bare)[0], path)
    elif isinstance(bare, type) and issubclass(bare, msgspec.Struct):
        yield from _faults_of_object(body, bare, path)
    else:
        yield from _fault_of_value(body, kind, path)


def _faults_of_array(body: bytes, kind: Any, item: Any, path: str) -> Iterator[FieldError]:
    try:
        items = decoder(list[msgspec.Raw]).decode(body)
    except msgspec.ValidationError:
        yield FieldError(path or "body", must_be(kind, shown_json(body)))
        return
    if len(items) > _most(kind):
        yield FieldError(path or "body", must_be(kind, f"one of {len(items)}"))
        return
    for number, element in enumerate(items):
        yield from _faults(bytes(element), item, f"{path}[{number}]")


def _most(kind: Any) -> float:
    info = msgspec.inspect.type_info(kind)
    most = info.max_length if isinstance(info, msgspec.inspect.ListType) else None
    return float("inf") if most is None else most


def _faults_of_object(body: bytes, kind: type[msgspec.Struct], path: str) -> Iterator[FieldError]:
    try:
        given = decoder(dict[str, msgspec.Raw]).decode(body)
    except msgspec.ValidationError:
        yield FieldError(path or "body", f"must be an object, not {shown_json(body)}")
        return
    prefix = f"{path}." if path else ""
    fields = {field.encode_name: field for field in msgspec.structs.fields(kind)}
    counts = Counter(name for name, _ in _objects(body)[-1])
    for name, value in given.items():
        field = fields.get(name)
        if field is None:
            short = name if len(name) <= _NAME_MAX else f"{name[:_NAME_MAX]}…"
            yield FieldError(prefix + short, "is unknown")
        elif counts[name] > 1:
            yield FieldError(prefix + name, "must be given once")
        else:
            yield from _faults(bytes(value), field.type, prefix + name)
    for name, field in fields.items():
        if field.required and name not in given:
            yield FieldError(prefix + name, "is required")


def _fault_of_value(body: bytes, kind: Any, path: str) -> Iterator[FieldError]:
    try:
        decoder(kind).decode(body)
    except msgspec.ValidationError as error:
        text, came = str(error), shown_json(body)
        # Errors of the contracts' value types are already in plain words.
        said = f"{text}, not {came}" if text.startswith("must ") else must_be(kind, came)
        yield FieldError(path or "body", said)


def _objects(body: bytes) -> list[list[tuple[str, Any]]]:
    """The members of each object in this valid JSON, repeated keys included. The outermost object is last."""
    found: list[list[tuple[str, Any]]] = []
    # Numbers stay text, because Python refuses long numbers or converts them slowly.
    json.loads(body.decode(), object_pairs_hook=found.append, parse_int=str, parse_float=str)
    return found
