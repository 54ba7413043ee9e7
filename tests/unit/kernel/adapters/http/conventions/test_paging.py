"""The Link header (RFC 8288) to the next page."""

import re
from urllib.parse import parse_qsl, urlsplit

from hypothesis import given
from hypothesis import strategies as st

from kernel.adapters.http.conventions.paging import next_page


def target(headers: dict[str, str]) -> str:
    found = re.fullmatch(r'<([^<>"\s]*)>; rel="next"', headers["Link"])
    assert found is not None
    return found[1]


def test_the_last_page_has_no_link() -> None:
    assert next_page("/orders", {"limit": "100"}, after=None) == {}


@given(
    st.dictionaries(st.sampled_from(["userId", "status"]), st.none() | st.text(st.characters(codec="utf-8"))),
    st.uuids(),
)
def test_the_next_page_is_asked_for_with_the_same_filters(
    query: dict[str, str | None], after: object
) -> None:
    url = urlsplit(target(next_page("/orders", query, after=str(after))))
    assert url.path == "/orders"
    given_filters = {name: value for name, value in query.items() if value is not None}
    assert dict(parse_qsl(url.query, keep_blank_values=True, strict_parsing=True)) == {
        **given_filters,
        "after": str(after),
    }


def test_an_earlier_cursor_is_replaced() -> None:
    assert target(next_page("/orders", {"after": "1"}, after="2")) == "/orders?after=2"
