"""Records what the engine hands to a policy pack: ``python -m tests.policy.record``.

The production stack is previewed in a separate sandbox, deployed, and previewed again. The first preview has
the values that are unknown when nothing exists (``recorded/first_preview.json``), the second one all of them
(``recorded/preview.json``). Made again when the program changes; ``test_recording_is_current`` says when.
"""

import os
import tempfile
from pathlib import Path

from sandbox.sandbox import Sandbox

RECORDED = Path(__file__).with_name("recorded")
RECORDER = Path(__file__).with_name("recorder")


def record(state: Path) -> None:
    """Make both recordings with a sandbox in the folder ``state``."""
    sandbox = Sandbox("prod", state=state, policy_pack=RECORDER, run_atlantis=False)
    RECORDED.mkdir(exist_ok=True)
    try:
        os.environ["RECORDING"] = str(RECORDED / "first_preview.json")
        sandbox.preview()
        os.environ["RECORDING"] = os.devnull
        sandbox.up()
        os.environ["RECORDING"] = str(RECORDED / "preview.json")
        sandbox.preview()
    finally:
        sandbox.down(force=True)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="atlantis-recording-") as directory:
        record(Path(directory))
