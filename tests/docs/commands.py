"""Checks the commands that pages show, without running them: every file, target, option and route exists."""

import json
import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache

import click
import yaml

from shop.cli import cli
from tests.docs.markdown import ROOT, tracked

# Commands whose arguments nothing here can check, each with the reason why that is enough.
UNCHECKED = {
    "export": "its variables are checked; it does nothing else",
    "echo": "prints a variable of the same script",
    "rm": "removes a file that the same script made",
    "openssl": "makes random characters",
    "rabbitmqctl": "needs a node of one's own; tests/ports/test_broker_users.py tries these rights",
}
# Addresses that are not the gateway's.
ELSEWHERE = {
    "http://keycloak.localhost:8080": "needs an engine; tests/deploy/test_keycloak.py holds the realm"
}
# Quotes first: a # inside of them begins no comment.
_COMMENT = re.compile(r"""'[^']*'|"[^"]*"|(?:(?<=\s)|^)#.*""", re.MULTILINE)
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=")
_SEPARATORS = set("|&;\n")


class Wrong(Exception):
    """What is wrong with a command, in a few words."""


@dataclass
class Command:
    """One command of a script: the variables set for it, and its words."""

    variables: list[str] = field(default_factory=list)
    words: list[str] = field(default_factory=list)


def commands(script: str) -> list[Command]:
    """The commands of a script, those inside of `$(…)` included."""
    script = _COMMENT.sub(lambda match: "" if match[0].startswith("#") else match[0], script)
    script = re.sub(r"\\\n\s*", " ", script)
    found: list[Command] = []
    while "$(" in script:
        before, _, rest = script.partition("$(")
        end = closing(rest)
        found += commands(rest[:end])
        script = f"{before}SUBSTITUTED{rest[end + 1 :]}"
    lexer = shlex.shlex(script, posix=True, punctuation_chars="|&;\n")
    lexer.whitespace, lexer.whitespace_split, lexer.commenters = " \t", True, ""
    command = Command()
    for word in [*lexer, "\n"]:
        if set(word) <= _SEPARATORS:
            found += [command] if command.words or command.variables else []
            command = Command()
        elif not command.words and _ASSIGNMENT.match(word):
            command.variables.append(word.partition("=")[0])
        else:
            command.words.append(word)
    return found


def closing(text: str) -> int:
    """Where the parenthesis ends that was opened before the text."""
    depth = 1
    for at, character in enumerate(text):
        depth += {"(": 1, ")": -1}.get(character, 0)
        if depth == 0:
            return at
    raise Wrong("a $( is never closed")


def check(script: str) -> None:
    """Raises Wrong for the first command that the repository does not know."""
    for command in commands(script):
        program, *arguments = command.words or ["export"]
        variables = command.variables + [
            word.partition("=")[0] for word in arguments if _ASSIGNMENT.match(word) and program == "export"
        ]
        for name in variables:
            if not re.search(rf"\b{name}\b", code()) and name not in re.findall(r"\$(\w+)", script):
                raise Wrong(f"nothing reads the variable {name}")
        if program in UNCHECKED:
            continue
        if program not in CHECKS:
            raise Wrong(f"{program} is not known here: check it, or say why it needs no check")
        CHECKS[program](arguments)


@cache
def code() -> str:
    """All that reads a variable: the code, the tests and what deploys them."""
    suffixes = (".py", ".yml", ".yaml", ".sh", ".json", "Makefile", ".toml", ".env")
    names = [
        name for name in tracked() if name.endswith(suffixes) and not name.startswith(("tests/docs", "docs"))
    ]
    return "\n".join((ROOT / name).read_text() for name in names)


def make(arguments: Sequence[str]) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for word in arguments:
        name, is_variable, value = word.partition("=")
        if is_variable and not re.search(rf"\b{name}\b", (ROOT / "Makefile").read_text()):
            raise Wrong(f"make has no variable {name}")
        if not is_variable and name not in targets:
            raise Wrong(f"make has no target {name}")
        if name == "ARGS" and "test" in arguments:
            pytest_(shlex.split(value))


def pytest_(arguments: Sequence[str]) -> None:
    words = list(arguments)
    if "-k" in words:
        at = words.index("-k")
        for name in re.findall(r"\w+", words[at + 1]):
            if name not in ("or", "and", "not", "NAME", "name") and name not in known_tests():
                raise Wrong(f"no test is named {name}")
        del words[at : at + 2]
    for word in words:
        if not word.startswith("-"):
            exists(word)


@cache
def known_tests() -> str:
    names = [name for name in tracked() if re.match(r"tests/.*test_\w+\.py$", name)]
    defined = (re.findall(r"^(?:async )?def (test_\w+)", (ROOT / n).read_text(), re.MULTILINE) for n in names)
    return "\n".join([*names, *(name for of_file in defined for name in of_file)])


def shop(arguments: Sequence[str]) -> None:
    words, command = list(arguments), cli
    while words and isinstance(command, click.Group) and not words[0].startswith("-"):
        if words[0] not in command.commands:
            raise Wrong(f"shop has no command {words[0]}")
        command = command.commands[words.pop(0)]
    try:
        if any(re.fullmatch(r"[A-Z_]+", word) for word in words):  # A placeholder has no type.
            command.make_parser(click.Context(command)).parse_args(words)
        elif words != ["--help"]:
            command.make_context(command.name, words)
    except (click.MissingParameter, click.exceptions.NoArgsIsHelpError):
        pass  # A sentence names a command without what it needs.
    except click.ClickException as error:
        raise Wrong(error.format_message()) from error


def python(arguments: Sequence[str]) -> None:
    match [*arguments]:
        case ["-c", source, *_]:
            compile(source, "-c", "exec")
        case ["-m", module, *_]:
            exists(module.replace(".", "/") + ".py")
        case [script, *options]:
            exists(script)
            for option in (word for word in options if word.startswith("--")):
                if option not in (ROOT / script).read_text():
                    raise Wrong(f"{script} has no option {option}")


def sh(arguments: Sequence[str]) -> None:
    exists(arguments[0])


def curl(arguments: Sequence[str]) -> None:
    (url,) = [word for word in arguments if re.match(r"(https?://|localhost:)", word)] or [""]
    if any(url.startswith(place) for place in ELSEWHERE):
        return
    path = url.removeprefix("http://").removeprefix("localhost:5003").partition("?")[0]
    operations = json.loads((ROOT / "docs/openapi/gateway.json").read_text())["paths"]
    fitting = [
        operation
        for template, operation in operations.items()
        if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path)
    ]
    if not fitting:
        raise Wrong(f"the gateway has no route {path}")
    sends = {"-d", "--json"} & {*arguments}
    method = arguments[arguments.index("-X") + 1] if "-X" in arguments else "POST" if sends else "GET"
    if not any(method.lower() in operation for operation in fitting):
        raise Wrong(f"the gateway has no {method} {path}")


def compose(arguments: Sequence[str]) -> None:
    """The names in docker-compose.yml: services after `exec`, profiles; and the files."""
    document = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    profiles = {name for service in document["services"].values() for name in service.get("profiles", [])}
    words = iter(arguments)
    for word in words:
        if word == "--env-file":
            exists(next(words))
        elif word == "--profile" and (name := next(words)) not in profiles:
            raise Wrong(f"docker-compose.yml has no profile {name}")
        elif word == "exec":
            if (name := next(words)) not in document["services"]:
                raise Wrong(f"docker-compose.yml has no service {name}")
            return


def kubectl(arguments: Sequence[str]) -> None:
    """The namespace, and what is named, stands somewhere in the manifests."""
    manifests = "\n".join(
        (ROOT / name).read_text() for name in tracked() if re.match(r"deploy/k8s/.*\.yaml$", name)
    )
    names = [arguments[arguments.index("-n") + 1]] if "-n" in arguments else []
    names += [arguments[arguments.index("generic") + 1]] if "generic" in arguments else []
    names += [arguments[arguments.index("scaledobject") + 1]] if "scaledobject" in arguments else []
    for name in names:
        if not re.search(rf"\b{re.escape(name)}\b", manifests):
            raise Wrong(f"no manifest names {name}")
    if "-k" in arguments:
        exists(arguments[arguments.index("-k") + 1])


def exists(path: str) -> None:
    if not (ROOT / path.partition("::")[0]).exists():
        raise Wrong(f"there is no {path}")


CHECKS = {
    "make": make,
    "shop": shop,
    ".venv/bin/shop": shop,
    ".venv/bin/pytest": pytest_,
    ".venv/bin/python": python,
    "python3": python,
    "sh": sh,
    "curl": curl,
    "docker-compose": compose,
    "kubectl": kubectl,
}


def of_console(text: str) -> str:
    """The commands of a block that shows answers too."""
    return "\n".join(re.findall(r"^\$ ((?:.*\\\n)*.*)$", text, re.MULTILINE))


def shown_inline(codes: Iterator[str]) -> Iterator[str]:
    """Inline code that is a command as a reader would type it."""
    programs = "|".join(re.escape(name) for name in CHECKS if name not in ("sh", "curl"))
    for text in codes:
        if re.match(rf"([A-Z_]+=\S+ )*({programs}) ", text) and "…" not in text and "|" not in text:
            yield text
