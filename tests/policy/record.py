"""Records what the engine hands to a policy pack, and what the pack answers: ``python -m tests.policy.record [messages]``.

``recorded/messages.txt`` has the messages that the rows' checks print, with the fingerprints: if a fingerprint changes, the
baselines that organizations have written don't cover the finding any more. With ``messages``, only this file is written.

The production stack is previewed in a separate sandbox, deployed, and previewed again. The first preview has
the values that are unknown when nothing exists (``recorded/first_preview.json``), the second one all of them
(``recorded/preview.json``). Made again when the program changes; ``test_recording_is_current`` says when.
"""

import os
import sys
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


def record_messages() -> None:
    """Write the messages of the rows' checks."""
    sys.path.insert(0, str(Path(__file__).parents[2] / "policy"))
    from tests.policy.test_rows import MESSAGES, ROWS, messages_of

    found = sorted({message for row in ROWS for message in messages_of(row, row.outcome()[1])})
    MESSAGES.write_text("".join(f"{message}\n" for message in found), encoding="utf-8")


if __name__ == "__main__":
    record_messages()
    if sys.argv[1:] == ["messages"]:
        sys.exit()
    with tempfile.TemporaryDirectory(prefix="atlantis-recording-") as directory:
        record(Path(directory))
