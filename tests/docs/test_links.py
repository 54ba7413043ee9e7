"""Every link of every page leads to a file, or a heading, that is there."""

from pathlib import Path

import pytest

from tests.docs.markdown import ROOT, anchors, links, pages


def broken(page: str, text: str) -> list[str]:
    return [target for target in links(text) if not target.startswith("http") and not leads(page, target)]


def leads(page: str, target: str) -> bool:
    path, _, fragment = target.partition("#")
    file = (ROOT / page).parent / path if path else ROOT / page
    if not file.exists():
        return False
    return not fragment or (file.suffix == ".md" and fragment in anchors(file.read_text()))


@pytest.mark.parametrize("page", sorted(pages()))
def test_every_link_leads_somewhere(page: str) -> None:
    assert broken(page, pages()[page]) == []


@pytest.mark.parametrize("target", ["nowhere.md", "#no-heading", "docs/glossary.md#no-heading", "src#x"])
def test_a_link_that_leads_nowhere_is_seen(target: str) -> None:
    assert broken("README.md", f"[text]({target})") == [target]


def test_anchors_are_those_of_github() -> None:
    text = "# What `make run` starts\n## 1. A, b!\n## 1. A, b!\n```sh\n# no heading\n```\n## Попробуйте\n"
    assert anchors(text) == {"what-make-run-starts", "1-a-b", "1-a-b-1", "попробуйте"}


def test_both_readmes_lead_to_each_other_and_to_the_same_pages() -> None:
    english, russian = (
        {target for target in links(pages()[name]) if Path(ROOT / target.partition("#")[0]).exists()}
        - {"README.md", "README.ru.md"}
        for name in ("README.md", "README.ru.md")
    )
    assert {target for target in english if "#" not in target} == {
        target for target in russian if "#" not in target
    }
