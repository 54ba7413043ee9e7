"""deploy/images.txt is the only place of image versions: all files use them, and none of them floats."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.images import DIGEST, USE, files, listed
from tests.deploy.compose import ROOT

# Our image has the project's version, which other tests check.
OURS = "shop"
EXACT = re.compile(r"[a-z0-9./-]+:v?\d+\.\d+[\w.-]*")
ANSWERS = '#!/bin/sh\nset -- $(printf %s "$6" | sha256sum)\necho sha256:$1\n'


def used(root: Path = ROOT) -> dict[str, list[str]]:
    """The images of others by the files that use them, without the stages of the Dockerfile."""
    texts = {str(path.relative_to(root)): path.read_text() for path in files(root)}
    found = {name: re.findall(rf"{USE}(\S+)", text, re.MULTILINE) for name, text in texts.items()}
    return {
        name: images
        for name, pairs in found.items()
        if (images := [image for _, image in pairs if image not in (OURS, "base")])
    }


def test_the_list_has_every_image_that_is_used_and_no_other() -> None:
    assert {re.sub(DIGEST, "", image) for images in used().values() for image in images} == set(listed())
    assert {"docker-compose.yml", "deploy/Dockerfile"} < used().keys()


def test_no_file_names_an_image_in_a_way_that_the_search_does_not_find() -> None:
    for path in files():
        text = re.sub(r"#.*", "", path.read_text())
        anyhow = re.findall(r"\bimage(?:Name)?:\s*(\S+)|^FROM (\S+)", text, re.MULTILINE)
        seen = [image for _, image in re.findall(rf"{USE}(\S+)", text, re.MULTILINE)]
        assert [one or other for one, other in anyhow] == seen, path


@pytest.mark.parametrize("image", listed())
def test_every_image_has_an_exact_version(image: str) -> None:
    assert EXACT.fullmatch(image)


def test_a_version_that_floats_is_found() -> None:
    for image in ("rabbitmq:4-management", "postgres:18", "postgres:latest", "postgres"):
        assert not EXACT.fullmatch(image)


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """A copy of the deployment's files, with a `docker` that knows a digest of each image."""
    for path in [*files(), ROOT / "deploy/images.txt", ROOT / "deploy/images.py"]:
        target = tmp_path / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/docker").write_text(ANSWERS)
    (tmp_path / "bin/docker").chmod(0o755)
    return tmp_path


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": f"{folder}/bin:{os.environ['PATH']}"}
    command = [sys.executable, str(folder / "deploy/images.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)


def test_the_digests_are_printed_and_nothing_is_written(copied: Path) -> None:
    printed = run(copied)
    assert [re.sub(f"{DIGEST}$", "", line) for line in printed.stdout.splitlines()] == listed()
    assert len(set(re.findall(DIGEST, printed.stdout))) == len(listed())
    assert used(copied) == used()


def test_one_command_pins_every_image_wherever_it_is_used_also_when_it_moves(copied: Path) -> None:
    pinned = run(copied, "--pin").stdout.split()
    assert {image for images in used(copied).values() for image in images} == set(pinned)
    (copied / "deploy/images.txt").write_text("\n".join(listed()).replace("rabbitmq:4.2.9", "rabbitmq:4.3.0"))
    moved = run(copied, "--pin").stdout.split()
    assert {image for images in used(copied).values() for image in images} == set(moved)
    assert len(set(moved) - set(pinned)) == 1
    others = [path.read_text() for path in files(copied)]
    assert [re.sub(DIGEST, "", text).replace("rabbitmq:4.3.0", "rabbitmq:4.2.9") for text in others] == [
        path.read_text() for path in files()
    ]


def test_nothing_is_written_where_one_digest_is_missing(copied: Path) -> None:
    (copied / "bin/docker").write_text(ANSWERS.replace("set --", 'case "$6" in rab*) exit 1;; esac; set --'))
    refused = run(copied, "--pin")
    assert refused.returncode == 1
    assert refused.stderr.startswith("rabbitmq:4.2.9-management has no digest")
    assert used(copied) == used()
