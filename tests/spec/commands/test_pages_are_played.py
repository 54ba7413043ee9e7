"""What README.ru.md and a recipe show is what a real shop answers.

tests/deploy/test_running.py plays README.md, and test_tokens_are_made_for_development.py plays securing.md.
The promises of tests/spec run the commands of the other recipes; tests/docs holds each word of them.
"""

import asyncio

from deploy.walkthrough import play, steps
from tests.docs.commands import commands
from tests.docs.markdown import blocks, pages
from tests.servers.shop import Embedded
from tests.spec.scenario import Http
from tests.spec.store import Store


async def test_the_walk_through_of_the_russian_readme_goes_as_it_says(embedded: Embedded) -> None:
    russian, english = (pages()[name] for name in ("README.ru.md", "README.md"))
    assert len(steps(russian)) == len(steps(english))
    await asyncio.to_thread(play, embedded.gateway, russian)


async def test_an_order_is_explained_as_the_recipe_says(embedded: Embedded, http: Http) -> None:
    store = Store.at_the_gateway(http, embedded)
    order = await store.placed(await store.open_account(funds="1.00"), "1.00")
    await store.decided(order["id"])
    (block,) = blocks("docs/recipes/explaining-an-order.md", "sh")
    (command,) = commands(block.text)
    _, explain, _ = command.words
    assert "FINISHED" in await embedded.says(explain, order["id"])
