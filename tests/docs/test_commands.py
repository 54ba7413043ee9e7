"""Every command that a page shows is one: the check knows each word of it, and an unknown one fails.

Tests also play on a real shop: README.md (tests/deploy/test_running.py); README.ru.md and explaining an order
(tests/spec/commands/test_pages_are_played.py); securing.md (test_tokens_are_made_for_development.py there).
"""

import pytest

from tests.docs.commands import Wrong, check, commands, of_console, shown_inline
from tests.docs.markdown import Block, blocks, inline_code, pages

# Blocks without a language, and with one that is no command's.
NO_COMMANDS = {"mermaid", "python", "json", "yaml", "toml", "js", "sql", "nginx", "text"}
# Examples that exist once somebody has followed their recipe, and the name of a session.
NO_COMMANDS_YET = {
    "SHOP_ASK_AGAIN_EVERY=many shop serve orders",
    "shop backlog",
    "shop console",
    "shop dead-letters list --service points",
    "shop serve points",
}
BLOCKS = [block for page in pages() for block in blocks(page)]


def script(block: Block) -> str:
    return of_console(block.text) if block.language == "console" else block.text


def test_every_block_names_its_language() -> None:
    assert [block.place for block in BLOCKS if block.language not in NO_COMMANDS | {"sh", "console"}] == []


@pytest.mark.parametrize(
    "block", [block for block in BLOCKS if block.language in ("sh", "console")], ids=lambda block: block.place
)
def test_every_command_of_a_block_is_one(block: Block) -> None:
    assert commands(script(block))
    if script(block) not in NO_COMMANDS_YET:
        check(script(block))


@pytest.mark.parametrize("page", sorted(pages()))
def test_every_command_in_a_sentence_is_one(page: str) -> None:
    for text in set(shown_inline(inline_code(pages()[page]))) - NO_COMMANDS_YET:
        try:
            check(text)
        except Wrong as wrong:
            raise AssertionError(f"{page}: `{text}`: {wrong}") from wrong


@pytest.mark.parametrize(
    "wrong",
    [
        "make tea",
        'make test ARGS="tests/nowhere"',
        'make test ARGS="-k no_test_has_this_name"',
        "NOBODY_READS_THIS=1 make test",
        "shop brew",
        "shop dead-letters brew",
        "shop audit --quickly",
        ".venv/bin/pytest -q tests/nowhere.py",
        ".venv/bin/python -m tests.nowhere",
        "python3 deploy/images.py --unpin",
        'python3 -c "print("',
        "curl localhost:5003/nowhere",
        "curl -X PUT localhost:5003/orders",
        'curl localhost:5003/orders -H "X: $(.venv/bin/shop token --nobody)"',
        "docker-compose --profile nobody up",
        "docker-compose exec nobody sh",
        "kubectl -n nowhere get pods",
        "sh deploy/nowhere.sh | rabbitmqctl import_definitions",
        "true && wget localhost:5003/orders",
    ],
)
def test_a_wrong_command_is_seen(wrong: str) -> None:
    with pytest.raises((Wrong, SyntaxError)):
        check(wrong)


def test_commands_are_told_apart() -> None:
    found = commands("A=1 make run  # why\ncurl x \\\n  -d 'a # b' | python3 -c 'c' && echo $(shop token)\n")
    assert [command.words for command in found] == [
        ["shop", "token"],
        ["make", "run"],
        ["curl", "x", "-d", "a # b"],
        ["python3", "-c", "c"],
        ["echo", "SUBSTITUTED"],
    ]
