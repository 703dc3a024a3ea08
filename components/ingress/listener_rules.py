"""Listener rules: who reaches which path of the server. All other requests get a 403."""

import dataclasses
from collections.abc import Sequence

import pulumi
import pulumi_aws as aws

from ..context import Context
from .existing_listener import Listener

CONDITION_VALUES = 5
"""The maximum number of values in all conditions of one rule together."""
WEBHOOK_PATH, WEBHOOK_METHOD = "/events", "POST"
WEBHOOK_PRIORITY, CROSS_SITE_PRIORITY, CHANGES_PRIORITY, ALLOWED_PRIORITY, OTHERS_PRIORITY = 100, 190, 196, 200, 227
"""The first priority of each kind of rule in the stack's own listener. In another listener, all are moved by the same number."""
FORBIDDEN: aws.lb.ListenerRuleActionArgsDict = {
    "type": "fixed-response",
    "fixed_response": {"content_type": "text/plain", "message_body": "Forbidden", "status_code": "403"},
}
_Condition = aws.lb.ListenerRuleConditionArgsDict


@dataclasses.dataclass(frozen=True, kw_only=True)
class ListenerRules:
    """The rules of one Atlantis in a listener."""

    context: Context
    name: str
    """The beginning of the rules' logical names."""
    listener: Listener
    target_group_arn: pulumi.Input[str]
    authenticate: aws.lb.ListenerRuleActionArgsDict | None
    """The action with which users in the allowed ranges sign in; None without sign-in."""
    opts: pulumi.ResourceOptions
    """The options of each rule."""

    @property
    def host(self) -> pulumi.Input[str] | None:
        """The host that the rules are limited to, in a listener that has rules of others; None in the stack's own."""
        return self.context.settings.ingress.host if self.listener.is_shared else None

    def create(self) -> None:
        """Register all rules."""
        forward: aws.lb.ListenerRuleActionArgsDict = {"type": "forward", "target_group_arn": self.target_group_arn}
        people = [self.authenticate, {**forward, "order": 2}] if self.authenticate else [forward]
        webhook: list[_Condition] = [
            {"path_pattern": {"values": [WEBHOOK_PATH]}},
            {"http_request_method": {"values": [WEBHOOK_METHOD]}},
        ]
        self._from_sources("webhook", WEBHOOK_PRIORITY, self.context.settings.webhook_sources, webhook, [forward])
        self._cross_site()
        self._changes()
        self._from_sources("allowed", ALLOWED_PRIORITY, self.context.settings.ingress.allowed_sources, [], people)
        if self.host is not None:
            # The listener's default action, and rules of others that follow, aren't for this host.
            self._rule("others", OTHERS_PRIORITY, [], [FORBIDDEN])

    def _from_sources(
        self,
        kind: str,
        priority: int,
        blocks: Sequence[str],
        conditions: Sequence[_Condition],
        actions: Sequence[aws.lb.ListenerRuleActionArgsDict],
    ) -> None:
        size = CONDITION_VALUES - len(conditions) - len(self._of_host())
        for number, chunk in enumerate(chunks(blocks, size)):
            from_chunk: list[_Condition] = [*conditions, {"source_ip": {"values": chunk}}]
            self._rule(f"{kind}-{number}", priority + number, from_chunk, actions)

    def _cross_site(self) -> None:
        """Reject changes that a page of another site requests through a signed-in user's browser (CSRF).

        A browser attaches the password or the session cookie to such a request, and Atlantis checks no CSRF token.
        Browsers report a request's origin in Sec-Fetch-Site, which pages can't change (W3C, Fetch Metadata).
        """
        # With the host, both values would be one too many. No other value of the header ends like them.
        values = ["cross-site", "same-site"] if self.host is None else ["*-site"]
        conditions: list[_Condition] = [
            {"http_request_method": {"values": ["DELETE", "POST", "PUT"]}},
            {"http_header": {"http_header_name": "Sec-Fetch-Site", "values": values}},
        ]
        self._rule("cross-site", CROSS_SITE_PRIORITY, conditions, [FORBIDDEN])

    def _changes(self) -> None:
        """Deny changes that the web page doesn't make, to the allowed ranges too.

        The API's secret allows an apply of any branch without an approval. The server reads the body of a webhook, of any size, before
        it checks the signature; the ranges of webhooks have a rule with a higher priority.
        A load balancer compares the path as the client sent it, and Atlantis decodes it first: /%61pi/apply is /api/apply. No path to
        which the page sends a change has an encoded character, so this rule denies all of them.
        """
        # Atlantis has no other methods for changes.
        methods = ["DELETE", "POST"]
        paths = [*([] if self.context.settings.configuration.allow_api else ["/api/*"]), WEBHOOK_PATH, "*%*"]
        for number, chunk in enumerate(chunks(paths, CONDITION_VALUES - len(methods) - len(self._of_host()))):
            conditions: list[_Condition] = [
                {"path_pattern": {"values": chunk}},
                {"http_request_method": {"values": methods}},
            ]
            suffix = f"-{number}" if number else ""
            self._rule(f"changes{suffix}", CHANGES_PRIORITY + number, conditions, [FORBIDDEN])

    def _of_host(self) -> list[_Condition]:
        return [] if self.host is None else [{"host_header": {"values": [self.host]}}]

    def _rule(
        self,
        label: str,
        priority: int,
        conditions: Sequence[_Condition],
        actions: Sequence[aws.lb.ListenerRuleActionArgsDict],
    ) -> None:
        aws.lb.ListenerRule(
            f"{self.name}-{label}",
            listener_arn=self.listener.arn,
            priority=self.listener.first_priority + priority - WEBHOOK_PRIORITY,
            conditions=[*self._of_host(), *conditions],
            actions=actions,
            tags=self.context.tags,
            opts=self.opts,
        )


def chunks(values: Sequence[str], size: int) -> list[list[str]]:
    """`values` in order, in lists of at most `size`."""
    return [list(values[start : start + size]) for start in range(0, len(values), size)]
