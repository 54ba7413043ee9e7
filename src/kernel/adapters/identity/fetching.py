"""Reads the answers of a provider, up to a limit; and tells whether there is one to ask."""

import aiohttp


async def whole_text(answer: aiohttp.ClientResponse, bytes_max: int) -> bytes:
    """Raises ValueError where the body is longer."""
    text = bytearray()
    async for part in answer.content.iter_any():
        text += part
        if len(text) > bytes_max:
            raise ValueError(f"it has more than {bytes_max} bytes")
    return bytes(text)


def is_url(location: str) -> bool:
    return location.startswith(("http://", "https://"))
