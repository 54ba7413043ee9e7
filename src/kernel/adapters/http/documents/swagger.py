"""The page of Swagger UI. Its Content-Security-Policy allows only the page's own files."""

from html import escape

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self';"
        " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
}
# The page contains the OpenAPI document as data, which the policy need not allow. A policy that allows inline
# scripts would allow injected scripts too.
SCRIPT = b"""\
document.body.style.margin = 0;
SwaggerUIBundle({
  spec: JSON.parse(document.getElementById("openapi").textContent),
  dom_id: "#swagger-ui",
  deepLinking: true,
  showExtensions: true,
  showCommonExtensions: true,
});
"""
_PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="stylesheet" href="{assets}/swagger-ui.css">
</head>
<body>
<div id="swagger-ui"></div>
<script type="application/json" id="openapi">{document}</script>
<script src="{assets}/swagger-ui-bundle.js"></script>
<script src="{assets}/{script}"></script>
</body>
</html>
"""
SCRIPT_NAME = "start.js"


def page(title: str, assets: str, document: bytes) -> bytes:
    """The HTML page. `assets` is the path below which Swagger UI's files and SCRIPT are served."""
    # A `</script>` in a description must not end the data.
    data = document.decode().replace("<", "\\u003c")
    shown = {"title": escape(title), "assets": escape(assets), "document": data, "script": SCRIPT_NAME}
    return _PAGE.format(**shown).encode()
