"""The services do what their OpenAPI documents say."""

from pathlib import Path

import pytest

from tests.servers.shop import SERVICES, Embedded
from tests.spec.documents.judging import judged


@pytest.mark.parametrize("service", SERVICES)
async def test_every_answer_is_one_that_the_document_describes(
    embedded: Embedded, service: str, tmp_path: Path
) -> None:
    code, said = await judged(embedded.urls[service], tmp_path, examples=5)
    assert code == 0, said
