"""Tunes the garbage collector of the pack's process."""

import gc

__all__ = ["tune_garbage_collector"]

# Objects made before the young generation is looked at; the interpreter's own default is 700.
_YOUNG_OBJECTS = 200_000


def tune_garbage_collector() -> None:
    """Let the garbage collector run seldom.

    The SDK makes a copy of the whole stack for every policy, nearly all of it without cycles. With the default, the
    collector walks those copies again and again, which more than doubles the time of a stack of ten thousand resources.
    """
    gc.freeze()
    gc.set_threshold(_YOUNG_OBJECTS, 20, 100)
