"""What goes wrong where a person looks on is told by the shop's page, and not by JSON."""

from collections.abc import Mapping

from litestar.response import Redirect

from kernel.domain.errors import ShopError

TOLD_BY_PAGE = (
    "Where a browser opens it (`Accept` names `text/html`, and `Sec-Fetch-Dest` is `document` or missing),"
    " the shop's page tells of a problem: 303 to `/#/?problem=` and its code."
)


def told_by_page(error: ShopError, headers: Mapping[str, str]) -> Redirect:
    """The way to the page. Raises the error itself for all that is no browser that opens an address."""
    opens = headers.get("sec-fetch-dest", "document") == "document"
    if not opens or "text/html" not in headers.get("accept", "").lower():
        raise error
    return Redirect(f"/#/?problem={error.code}", status_code=303)
