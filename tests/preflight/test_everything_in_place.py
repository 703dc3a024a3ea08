"""In an account where everything is as it should be, every check says so."""

from preflight.command import CHECKS
from preflight.errors import Status
from tests.preflight.world import World


def test_every_check_passes(world: World):
    ended = {name: (result.status, result.message) for name, result in world.results().items()}
    assert len(ended) == len(CHECKS)
    assert {name: why for name, (status, why) in ended.items() if status is not Status.OK} == {}
