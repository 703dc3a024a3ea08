"""Tunes the garbage collector of the pack's process."""

import gc

# Allocations before the youngest generation is collected; the interpreter's default is 700.
_YOUNG_OBJECTS = 200_000


def tune_garbage_collector() -> None:
    """Make the garbage collector run rarely.

    The SDK copies the whole stack for every policy, nearly all of it without reference cycles. With the default, the
    collector traverses those copies repeatedly, which more than doubles the time for a stack of ten thousand resources.
    """
    gc.freeze()
    gc.set_threshold(_YOUNG_OBJECTS, 20, 100)
    gc.enable()
