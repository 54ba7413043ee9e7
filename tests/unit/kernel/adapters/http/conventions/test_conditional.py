"""If-None-Match (RFC 9110, section 13.1.2): 304 for who has the body already."""

import msgspec
import pytest

from kernel.adapters.http.conventions.conditional import conditional


class Body(msgspec.Struct):
    text: str


BODY = Body("x")
TAG = conditional(BODY, None).headers["ETag"]


def test_the_tag_is_equal_for_equal_bodies_only() -> None:
    assert conditional(Body("x"), None).headers["ETag"] == TAG
    assert conditional(Body("y"), None).headers["ETag"] != TAG


@pytest.mark.parametrize(
    "tags", ["*", " * ", TAG, f"W/{TAG}", f'"a",{TAG}', f'W/"a" , W/{TAG} ,', f'"a,b", {TAG}', f", {TAG}"]
)
def test_a_client_that_has_the_body_gets_none(tags: str) -> None:
    answer = conditional(BODY, tags)
    assert (answer.status_code, answer.content, answer.headers) == (304, b"", {"ETag": TAG})


@pytest.mark.parametrize(
    "tags", [None, "", '""', '"other"', 'W/"other"', TAG.strip('"'), TAG[:-1], "**", f'"*", "{TAG[1:-2]}"']
)
def test_a_client_that_has_another_body_or_none_gets_it(tags: str | None) -> None:
    answer = conditional(BODY, tags)
    assert (answer.status_code, answer.content) == (None, b'{"text":"x"}')
