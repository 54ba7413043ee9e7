"""What a provider answers, read whole and not without bounds."""

import aiohttp


async def whole_text(answer: aiohttp.ClientResponse, bytes_max: int) -> bytes:
    """Raises ValueError where it has more bytes."""
    text = bytearray()
    async for part in answer.content.iter_any():
        text += part
        if len(text) > bytes_max:
            raise ValueError(f"it has more than {bytes_max} bytes")
    return bytes(text)
