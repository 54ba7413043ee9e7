"""The pages' styles are all loaded at once, so each class has its look in one file."""

import re
from collections import defaultdict
from pathlib import Path

STATIC = Path(__file__).parents[5] / "src/gateway/adapters/inbound/pages/static"
COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
# The text before a block: selectors, or the head of a rule such as @media.
HEAD = re.compile(r"([^{};]+)\{")
STATE = re.compile(r"::?[a-z-]+|\[[^\]]*\]")


def bare_classes(text: str) -> set[str]:
    """The classes that a selector means everywhere: alone, or in one of their states."""
    heads = [head for head in HEAD.findall(COMMENT.sub("", text)) if not head.strip().startswith("@")]
    selectors = {STATE.sub("", one.strip()) for head in heads for one in head.split(",")}
    return {one for one in selectors if re.fullmatch(r"\.[\w-]+", one)}


def test_no_two_files_define_one_class() -> None:
    files = defaultdict(list)
    for path in sorted(STATIC.rglob("*.css")):
        for name in bare_classes(path.read_text()):
            files[name].append(path.relative_to(STATIC).as_posix())
    assert len(files) > 50
    assert {name: found for name, found in files.items() if len(found) > 1} == {}


def test_a_class_is_found_alone_and_in_a_list_and_with_its_states() -> None:
    text = "/* .no {} */ .a,\n.b:hover { color: red } .c .d {} @media (width < 9rem) { .e::before {} }"
    assert bare_classes(text) == {".a", ".b", ".e"}
