"""The page of a pull request that `make pictures` draws, made of a plan and an apply as the server comments them."""

from sandbox.commands.pictures import page
from sandbox.testbed.github.store import PullRequest

PLAN = """Ran Plan for dir: `network` workspace: `default`

<details><summary>Show Output</summary>

```diff
+ resource "terraform_data" "a" {
- old = "<b>"
```
</details>

* :arrow_forward: To **apply** this plan, comment:
  ```shell
  atlantis apply -d network
  ```
---
* To delete it, click [here](https://atlantis.example.com/lock?id=1)
"""


def test_a_page_has_the_comments_in_order_and_escapes_what_terraform_prints() -> None:
    pull = PullRequest("o/r", 7, "b", "Add <subnets>", author="alice", approved_by=["bob"])
    drawn = page(pull, [PLAN, "Ran Apply for dir: `network`"], "dark")
    parts = (
        "Add &lt;subnets&gt; <span>#7</span>",
        "<p>Ran Plan for dir: <code>network</code>",
        '<pre><span class="add">+ resource &quot;terraform_data&quot;',
        '<span class="remove">- old = &quot;&lt;b&gt;&quot;</span>',
        "• ▶ To <b>apply</b> this plan",
        "<pre>atlantis apply -d network</pre>",
        '<hr><p>• To delete it, click <a href="https://atlantis.example.com/lock?id=1">here</a>',
        "<b>bob</b> approved",
        "<b>alice</b> commented</header><div><p>atlantis apply</p>",
        "<p>Ran Apply for dir",
    )
    places = [drawn.find(part) for part in parts]
    assert -1 not in places, [part for part, place in zip(parts, places, strict=True) if place < 0]
    assert places == sorted(places)
    assert "background: #0d1117" in drawn
