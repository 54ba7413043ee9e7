"""Snippets of code are valid, and what they and the pages name is there."""

import ast
import importlib
import json
import re
import tomllib
from functools import cache
from textwrap import indent

import pytest
import yaml

from tests.architecture.test_architecture_md import exists, is_path
from tests.deploy.compose import SETTINGS
from tests.docs.commands import known_tests
from tests.docs.markdown import ROOT, Block, blocks, inline_code, pages, tracked

RECIPES = sorted(name for name in pages() if name.startswith("docs/recipes/"))
# Where a snippet may stand, from a whole module to one item of a dict; and how far it is indented there.
FRAMES = (
    ("{}", 0),
    ("async def _():\n{}", 2),
    ("async def _():\n  match _:\n{}", 4),
    ("async def _():\n  if _:\n    pass\n{}", 2),
    ("_ = {{\n{}\n}}", 0),
)
SNIPPETS = [block for page in pages() for block in blocks(page, "python")]
# Files that somebody who follows a recipe makes.
MADE = {
    "customer/yesterday.js",
    "kernel/adapters/steady_clock.py",
    "migrations/points/versions",
    "orders/application/hurry_orders.py",
    "src/shop/backlog.py",
    "tests/spec/commands/test_the_backlog_is_told.py",
}
WORD = re.compile(r"[A-Za-z_]\w*")


def parsed(block: Block) -> ast.Module:
    """An ellipsis stands for what is there already."""
    text = block.text.replace("{…, ", "{**_, ").replace("    …,\n", "    **_,\n")
    for frame, depth in FRAMES:
        try:
            return ast.parse(frame.format(indent(text, " " * depth)))
        except SyntaxError:
            continue
    raise AssertionError(f"{block.place} is no Python")


@cache
def words() -> frozenset[str]:
    """Every word of the code, the tests and what deploys them."""
    suffixes = (".py", ".yml", ".yaml", ".js", ".sql", ".toml", ".json", ".conf", "Makefile", ".sh", ".txt")
    names = [n for n in tracked() if n.endswith(suffixes) and not n.startswith(("docs/", "tests/docs/"))]
    return frozenset(word for name in names for word in WORD.findall((ROOT / name).read_text()))


@pytest.mark.parametrize("block", SNIPPETS, ids=lambda block: block.place)
def test_a_snippet_is_python_and_what_it_imports_is_there(block: Block) -> None:
    for node in ast.walk(parsed(block)):
        if not isinstance(node, ast.ImportFrom) or not node.module:
            continue
        if f"{node.module.replace('.', '/')}.py" in pages()[block.page]:
            continue  # The recipe makes this file.
        module = importlib.import_module(node.module)
        assert [alias.name for alias in node.names if not hasattr(module, alias.name)] == []


@pytest.mark.parametrize("page", RECIPES)
def test_the_names_of_a_recipes_code_are_those_of_the_code(page: str) -> None:
    """A name that nothing in the repository bears is the recipe's own, and the recipe defines it."""
    used: set[str] = set()
    own: set[str] = set()
    for block in blocks(page, "python"):
        for node in ast.walk(parsed(block)):
            match node:
                case ast.Name(id=name, ctx=ast.Load()) | ast.Attribute(attr=name, ctx=ast.Load()):
                    used.add(name)
                case ast.Name(id=name) | ast.Attribute(attr=name) | ast.arg(arg=name):
                    own.add(name)
                case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                    own.add(name)
                case ast.alias(name=name):
                    own.add(name)
    told = {word for code in inline_code(pages()[page]) for word in WORD.findall(code)}
    assert used - own - told - words() == set()


def test_data_is_read_by_its_language() -> None:
    readers = {"json": json.loads, "toml": tomllib.loads, "yaml": yaml.safe_load}
    for page in pages():
        for block in blocks(page, *readers):
            text = (
                f"_ = [\n{block.text}]" if block.language == "toml" and "[" not in block.text else block.text
            )
            readers[block.language](text)


@pytest.mark.parametrize("page", sorted(pages()))
def test_every_path_test_and_setting_that_a_page_names_is_there(page: str) -> None:
    made = {word for block in blocks(page) for word in WORD.findall(block.text)}
    codes = set(inline_code(pages()[page]))
    assert {code for code in codes if is_path(code) and not there(code)} - MADE == set()
    tests = {code for code in codes if re.fullmatch(r"test_\w+…?", code)}
    assert {code for code in tests if code.rstrip("…") not in known_tests()} == set()
    named = {name for code in codes for name in re.findall(r"\bSHOP_[A-Z_]*[A-Z]\b", code)}
    assert {name.removesuffix("_FILE") for name in named} - SETTINGS - made == set()


def there(path: str) -> bool:
    """A path may leave out the folders that its sentence names; networks and rates are no paths."""
    if path[0].isdigit() or path.startswith((".cache/", ".data/")):
        return True
    return exists(path) or any(f"/{name}/".endswith(f"/{path}/") for name in tracked())


def test_a_path_that_leads_nowhere_is_seen() -> None:
    assert [path for path in ("driver.py", "postgres/nowhere.py", "50/second") if not there(path)] == [
        "postgres/nowhere.py"
    ]
