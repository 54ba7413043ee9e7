"""Finds the digests of the third-party images that a deployment runs; deploy/images.txt lists them.

    python3 deploy/images.py          prints each image with the digest that its registry has for it now
    python3 deploy/images.py --pin    and writes both wherever an image of that name is used

A version may name other bytes later; a digest never does. Needs `docker buildx` and Python's standard
library. Exit code 0 only for success.
"""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
# Where an image may be named, and the text before its name.
FILES = ("docker-compose.yml", "deploy/Dockerfile", "deploy/k8s/**/*.yaml")
USE = r"^(\s*(?:- )?image(?:Name)?: |FROM )"
DIGEST = r"@sha256:[0-9a-f]{64}"


def listed(root: Path = ROOT) -> list[str]:
    return (root / "deploy/images.txt").read_text().split()


def files(root: Path = ROOT) -> list[Path]:
    return sorted(path for pattern in FILES for path in root.glob(pattern))


def pinned(image: str) -> str:
    """The image with its digest. Raises SystemExit where the registry gives none."""
    question = ["docker", "buildx", "imagetools", "inspect", "--format", "{{.Manifest.Digest}}", image]
    done = subprocess.run(question, capture_output=True, text=True, check=False)  # noqa: S603  # no shell
    digest = f"@{done.stdout.strip()}"
    if not re.fullmatch(DIGEST, digest):
        sys.exit(f"{image} has no digest: {done.stderr.strip()}")
    return image + digest


def write(images: list[str], root: Path = ROOT) -> None:
    """Replaces whatever version of each image the files name."""
    for file in files(root):
        text = file.read_text()
        for image in images:
            name = image.partition("@")[0].rpartition(":")[0]
            used = rf"{USE}{re.escape(name)}:[\w.-]+(?:{DIGEST})?"
            text = re.sub(used, rf"\g<1>{image}", text, flags=re.MULTILINE)
        file.write_text(text)


if __name__ == "__main__":
    if sys.argv[1:] not in ([], ["--pin"]):
        sys.exit(__doc__)
    # All digests are fetched before one is written: half of them pinned would look like all.
    images = [pinned(image) for image in listed()]
    print("\n".join(images))
    if sys.argv[1:]:
        write(images)
