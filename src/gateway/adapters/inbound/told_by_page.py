"""Shows an error on the shop's page, instead of as JSON, if a browser has opened the address."""

from collections.abc import Mapping

from litestar.response import Redirect

from kernel.domain.errors import ShopError

TOLD_BY_PAGE = (
    "When a browser opens this address (`Accept` names `text/html`, and `Sec-Fetch-Dest` is `document` or"
    " missing), the shop's page shows an error: the answer is 303 to `/#/?problem=` and the problem's code."
)


def told_by_page(error: ShopError, headers: Mapping[str, str]) -> Redirect:
    """Returns a redirect to the shop's page if a browser opens the address. Otherwise raises the error."""
    opens = headers.get("sec-fetch-dest", "document") == "document"
    if not opens or "text/html" not in headers.get("accept", "").lower():
        raise error
    return Redirect(f"/#/?problem={error.code}", status_code=303)
