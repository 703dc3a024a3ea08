"""What a person sees in a browser: Atlantis' page through the deployed load balancer, in headless Chromium."""

import os
import struct
from pathlib import Path

from sandbox.pull_requests import deliver
from sandbox.testbed.github import events
from sandbox.testbed.github.store import Store
from sandbox.testbed.paths import CHECKOUT
from tests.needs import needs
from tests.sandbox.atlantis.browser import HEIGHT, WIDTH, browse
from tests.sandbox.atlantis.conftest import eventually, fetch, status
from tests.sandbox.atlantis.world import OWNER, World

_PICTURE = CHECKOUT / "docs" / "images" / "atlantis.png"

pytestmark = [
    needs("chromium"),
    needs("terraform"),
]


def _size(png: bytes) -> tuple[int, int]:
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    return struct.unpack(">II", png[16:24])


def test_the_page_shows_the_lock_of_a_planned_pull_request(running: World, github: Store, tmp_path: Path) -> None:
    repository = f"{OWNER}/infrastructure"
    github.create_repository(repository, {"README.md": "Infrastructure\n"})
    pull = github.open_pull_request(
        repository, "network", {"network/main.tf": 'resource "terraform_data" "a" {}\n'}, "Network"
    )
    assert deliver(running.deployment, "pull_request", events.pull_request(github, pull)).status == 200
    url = f"http://127.0.0.1:{status(running).proxy_port}/"
    eventually("the lock", lambda: f"{repository} #1".encode() in fetch(url)[1])
    eventually("the plan's comment", lambda: github.recorded("comments"))

    document = browse(tmp_path / "profile", url, "--dump-dom")
    assert "Apply commands are enabled" in document
    assert f"{repository} #1" in document
    assert "0.47.1" in document

    picture = tmp_path / "atlantis.png"
    browse(tmp_path / "profile", url, f"--screenshot={picture}")
    content = picture.read_bytes()
    assert _size(content) == (WIDTH, HEIGHT)
    # A page whose style sheet or picture is missing compresses to a fraction of this.
    assert len(content) > 30_000
    if not _PICTURE.exists() or os.environ.get("ATLANTIS_NEW_SCREENSHOT"):
        _PICTURE.parent.mkdir(parents=True, exist_ok=True)
        _PICTURE.write_bytes(content)
