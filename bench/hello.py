"""The floor of HTTP: a handler that echoes its JSON body, on the HTTP server of the shop."""

import asyncio
import logging
import sys
from typing import Annotated

import msgspec
from litestar import Litestar, post
from litestar.params import Body

from kernel.adapters.http.server.server import HttpServer, listen
from shop.serving import run


class Hello(msgspec.Struct, rename="camel"):
    user_id: str
    amount: float


@post("/hello")
async def hello(data: Annotated[Hello, Body()]) -> Hello:
    return data


async def main(stop: asyncio.Event) -> None:
    await HttpServer(Litestar([hello], openapi_config=None), listen("127.0.0.1", int(sys.argv[1]))).run_until(
        stop
    )


if __name__ == "__main__":
    logging.disable(logging.INFO)
    run(main)
