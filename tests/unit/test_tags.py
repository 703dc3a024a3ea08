"""Tags: the stack's own, and those that a setting adds."""

import pytest

from tests.unit.stacks import TAGS, stack


def test_more_tags_are_on_every_resource_that_has_the_own_ones() -> None:
    given = {"Team": "payments", "cost:unit": "앱", "Empty-ish": "-"}
    plain, tagged = stack(), stack(tags=given)
    own = {each.name: each.inputs["tags"] for each in plain.resources if each.custom and "tags" in each.inputs}
    found = {each.name: each.inputs["tags"] for each in tagged.resources if each.custom and "tags" in each.inputs}
    assert len(own) > 30
    assert found == {name: tags | given for name, tags in own.items()}
    assert all(TAGS.items() <= tags.items() for tags in own.values())


@pytest.mark.parametrize("key", ["Team", "Owner", "DataClass", "CostCenter"])
def test_a_default_can_be_set_by_its_key(key: str) -> None:
    queue = stack(tags={key: "x"}).one("aws:ecs/service:Service").inputs["tags"]
    assert queue[key] == "x"
