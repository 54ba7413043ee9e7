"""Reads a provider's HTTP answers, up to a maximum size."""

import aiohttp


async def whole_text(answer: aiohttp.ClientResponse, bytes_max: int) -> bytes:
    """The whole body of the answer. Raises ValueError if the body has more than `bytes_max` bytes."""
    text = bytearray()
    async for part in answer.content.iter_any():
        text += part
        if len(text) > bytes_max:
            raise ValueError(f"it has more than {bytes_max} bytes")
    return bytes(text)


def is_url(location: str) -> bool:
    return location.startswith(("http://", "https://"))
