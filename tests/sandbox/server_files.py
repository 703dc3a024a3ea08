"""Shapes of server-side configurations as operators write them, as text: a server configuration, rules for repositories, or both."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

__all__ = ["ACCEPTED", "REFUSED", "Files"]


class Files(NamedTuple):
    """The text of the two files; empty for none."""

    flags: str = ""
    rules: str = ""
    settings: Mapping[str, str | list[str]] = MappingProxyType({})
    """Settings of the stack that belong to the files."""


EVERY = "repos:\n- id: /.*/\n  apply_requirements: [approved, mergeable, undiverged]\n"
PLAN = "workflows:\n  own:\n    plan:\n      steps:\n"
SLACK = {"serverSecrets": ["slack-token=tools/slack:token"]}
DRIFT = {"terraformIsolation": "tasks", "driftProjects": ["my-organization/network:vpc"]}

ACCEPTED: Final[dict[str, Files]] = {
    "one rule for every repository": Files(rules=EVERY),
    "requirements in block style": Files(
        rules="repos:\n  - id: /.*/\n    apply_requirements:\n      - approved\n      - mergeable\n"
    ),
    "an organization and an exception": Files(
        rules=EVERY
        + "- id: /github.com/acme/infra-.*/\n  allowed_overrides: [workflow]\n- id: github.com/acme/sandbox\n"
        "  apply_requirements: []\n"
    ),
    "a rule by branch": Files(rules="repos:\n- id: /.*/\n  branch: /^(main|master|release-\\d+)$/\n"),
    "a configuration in another place": Files(rules=EVERY + "  repo_config_file: ops/atlantis.yaml\n"),
    "only workflows": Files(rules=PLAN + "      - init\n      - plan\n"),
    "only a default workflow": Files(
        rules="workflows:\n  default:\n    plan:\n      steps: [init, plan]\n    apply:\n      steps: [apply]\n"
    ),
    "only metrics": Files(rules="metrics:\n  prometheus:\n    endpoint: /metrics\n"),
    "an empty list of repositories": Files(rules="repos: []\n" + PLAN + "      - init\n"),
    "nothing under repos": Files(rules="repos:\n" + PLAN + "      - init\n"),
    "anchors": Files(
        rules="repos:\n- id: /.*/\n  apply_requirements: &all [approved, mergeable, undiverged]\n  import_requirements: *all\n"
    ),
    "a workflow with variables": Files(
        rules=EVERY + "  workflow: own\n" + PLAN + "      - env: {name: TF_IN_AUTOMATION, value: 'true'}\n"
        "      - env:\n          name: ACCOUNT\n          command: 'echo $DIR | cut -d/ -f1'\n      - init\n      - plan\n"
    ),
    "terragrunt": Files(
        rules=EVERY + "  workflow: terragrunt\nworkflows:\n  terragrunt:\n    plan:\n      steps:\n"
        "      - env:\n          name: TERRAGRUNT_TFPATH\n          command: 'echo \"terraform${ATLANTIS_TERRAFORM_VERSION}\"'\n"
        "      - run:\n          command: terragrunt plan -input=false -out=$PLANFILE\n          output: strip_refreshing\n"
        "    apply:\n      steps:\n      - run: terragrunt apply $PLANFILE\n"
        "    import:\n      steps:\n      - run: terragrunt import $(printf '%s' $COMMENT_ARGS | tr -d ',\\\\')\n"
        "    state_rm:\n      steps:\n      - run: terragrunt state rm $COMMENT_ARGS\n"
    ),
    "extra arguments": Files(
        rules=EVERY + PLAN + "      - init:\n          extra_args: [-backend-config=prod.hcl, -upgrade]\n"
        "      - plan:\n          extra_args:\n          - -var-file\n          - prod.tfvars\n"
    ),
    "generated projects": Files(
        rules=EVERY + "  pre_workflow_hooks:\n  - run: terragrunt-atlantis-config generate --output atlantis.yaml\n"
        "    description: projects\n    commands: plan\n  allow_custom_workflows: false\n"
    ),
    "hooks after a command": Files(
        rules=EVERY
        + "  post_workflow_hooks:\n  - run: ./cost.sh\n    shell: bash\n    shellArgs: -ec\n  - run: |\n      echo a\n      echo b\n"
    ),
    "a step in a shell": Files(
        rules=EVERY
        + PLAN
        + "      - run:\n          command: set -o pipefail; make plan | tee log\n          shell: bash\n"
        "          shellArgs: [-e, -c]\n          output: hide\n"
    ),
    "several variables": Files(rules=EVERY + PLAN + "      - multienv: ./variables.sh\n      - init\n      - plan\n"),
    "policies": Files(
        flags="enable-policy-checks: true\nquiet-policy-checks: true\n",
        rules=EVERY + "policies:\n  owners:\n    users: [alex]\n    teams: [platform]\n  policy_sets:\n  - name: tags\n"
        "    path: /home/atlantis/policies/tags\n    source: local\n  - name: cost\n    path: policies/cost\n    source: github\n"
        "    approve_count: 2\n    prevent_self_approve: true\n    owners: {users: [robin]}\n",
    ),
    "a version of conftest without quotes": Files(
        rules=EVERY + "policies:\n  conftest_version: 0.60\n  policy_sets:\n  - {name: a, path: a, source: local}\n"
    ),
    "sticky approvals": Files(
        rules=EVERY
        + "policies:\n  conftest_version: v0.56.0\n  sticky_policy_approvals: true\n  policy_item_regex: '.+'\n"
        "  approve_count: 1\n  policy_sets:\n  - {name: a, path: a, source: local, sticky_policy_approvals: false}\n"
    ),
    "a custom policy check": Files(
        rules=EVERY
        + "  policy_check: true\n  custom_policy_check: true\nworkflows:\n  own:\n    policy_check:\n      steps:\n"
        "      - show\n      - policy_check:\n          extra_args: [--all-namespaces]\n      - run: ./check.sh\n"
    ),
    "statsd with a number as the port": Files(
        rules=EVERY + "metrics:\n  statsd:\n    host: localhost\n    port: 8125\n"
    ),
    "statsd with a text as the port": Files(rules=EVERY + "metrics:\n  statsd: {host: 127.0.0.1, port: '8125'}\n"),
    "an external check of teams": Files(
        rules=EVERY + "team_authz:\n  command: /usr/local/bin/allowed\n  args: [--timeout, 5]\n"
    ),
    "plans in a bucket": Files(
        flags="enable-external-stores: true\n",
        rules=EVERY
        + "external_stores:\n  plan_store:\n    type: s3\n    s3:\n      bucket: acme-plans\n      region: eu-west-1\n"
        "      prefix: atlantis/\n      force_path_style: false\n",
    ),
    "locks at the apply": Files(rules=EVERY + "  repo_locks:\n    mode: on_apply\n"),
    "ignored directories": Files(
        rules=EVERY + "  autodiscover:\n    mode: enabled\n    ignore_paths: ['modules/**', examples/*]\n"
    ),
    "quiet comments": Files(rules=EVERY + "  silence_pr_comments: [apply]\n  delete_source_branch_on_merge: true\n"),
    "workflows of repositories": Files(
        rules=EVERY
        + "  allowed_workflows: [own]\n  allow_custom_workflows: true\n  allowed_overrides: [workflow, repo_locks]\n"
        + PLAN
        + "      - init\n"
    ),
    "usual flags": Files(
        flags="automerge: true\nautomerge-method: squash\nautoplan-modules: true\nautodiscover-mode: disabled\n"
        "autoplan-file-list: '**/*.tf,**/*.tfvars,**/.terraform.lock.hcl'\ncheckout-depth: 50\ndisable-apply-all: true\n"
        "emoji-reaction: eyes\nexecutable-name: atlantis-tools\nhide-prev-plan-comments: true\nmax-comments-per-command: 5\n"
        "parallel-plan: true\nparallel-pool-size: 8\nuse-tf-plugin-cache: false\nsilence-no-projects: true\nvcs-status-name: tools\n"
    ),
    "a version in quotes": Files(flags="default-tf-version: '1.10.0'\ntf-distribution: terraform\n"),
    "a version of three parts": Files(flags="default-tf-version: v1.11.4\n"),
    "teams of the organization": Files(
        flags='gh-org: acme\ngh-team-allowlist: "platform:plan, platform:apply, *:unlock"\n'
    ),
    "pull requests of forks": Files(
        flags="allow-fork-prs: true\nsilence-fork-pr-errors: true\nallow-draft-prs: true\n"
    ),
    "an applied change to a URL": Files(
        flags="webhooks:\n- event: apply\n  workspace-regex: .*\n  branch-regex: .*\n  kind: http\n  url: https://hooks.acme.example/atlantis\n"
    ),
    "an applied change to Slack": Files(
        flags="webhooks:\n- event: apply\n  workspace-regex: ^prod\n  kind: slack\n  channel: deployments\n",
        settings=SLACK,
    ),
    "both, by branch": Files(
        flags="webhooks:\n- {event: apply, kind: slack, channel: C0123456789, branch-regex: main}\n"
        "- {event: apply, kind: http, url: 'http://localhost:8080/applied', branch-regex: '^release/'}\n",
        settings=SLACK,
    ),
    "drift to Slack and to a URL": Files(
        flags="webhooks:\n- {event: drift, kind: slack, channel: drift}\n"
        "- {event: drift, kind: http, url: 'https://hooks.acme.example/drift'}\n",
        settings={**SLACK, **DRIFT},
    ),
    "no webhooks": Files(flags="webhooks: []\nparallel-pool-size: 3\n"),
}
"""Accepted by this program and by the server."""

REFUSED: Final[dict[str, tuple[Files, str]]] = {
    "a misspelled block": (
        Files(rules="repo:\n- id: /.*/\n"),
        "refuses the file (field not found); did you mean repos?",
    ),
    "a misspelled key": (
        Files(rules="repos:\n- id: /.*/\n  apply_requirement: [approved]\n"),
        "repos[0].apply_requirement: Atlantis has no such key and refuses the file (field not found)",
    ),
    "an unknown store": (
        Files(rules="external_stores:\n  plan_store: {type: gcs, s3: {bucket: a, region: b}}\n"),
        "external_stores.plan_store.type = 'gcs': must be s3",
    ),
    "a store without a region": (
        Files(rules="external_stores:\n  plan_store:\n    type: s3\n    s3: {bucket: acme-plans}\n"),
        "external_stores.plan_store.s3.region: missing",
    ),
    "a misspelled key of a store": (
        Files(
            rules="external_stores:\n  plan_store:\n    type: s3\n    s3: {bucket: a, region: b, forcePathStyle: true}\n"
        ),
        "external_stores.plan_store.s3.forcePathStyle: Atlantis has no such key",
    ),
    "a list instead of a store": (Files(rules="external_stores: [s3]\n"), "must be a mapping with plan_store"),
    "statsd without a port": (Files(rules="metrics: {statsd: {host: localhost}}\n"), "metrics.statsd.port: missing"),
    "statsd with a name as the port": (
        Files(rules="metrics: {statsd: {host: localhost, port: statsd}}\n"),
        "metrics.statsd.port = 'statsd': must be an integer",
    ),
    "prometheus without an endpoint": (Files(rules="metrics: {prometheus: {}}\n"), "must be a path such as /metrics"),
    "a misspelled key of policies": (
        Files(rules="policies:\n  policy_set: [{name: a, path: a, source: local}]\n"),
        "policies.policy_set: Atlantis has no such key",
    ),
    "a text instead of a number": (
        Files(rules="policies:\n  approve_count: two\n  policy_sets: [{name: a, path: a}]\n"),
        "policies.approve_count = 'two': must be an integer",
    ),
    "teams as a text": (
        Files(rules="policies:\n  owners: {teams: platform}\n"),
        "policies.owners.teams = 'platform': must be a list",
    ),
    "a misspelled key of teams": (
        Files(rules="team_authz: {cmd: /bin/true}\n"),
        "team_authz.cmd: Atlantis has no such key",
    ),
    "no list of webhooks": (Files(flags="webhooks: apply\n"), "webhooks: must be a list"),
    "a webhook without a kind": (
        Files(flags="webhooks:\n- event: apply\n  url: https://hooks.acme.example/a\n"),
        "webhooks[0].kind: must be slack or http",
    ),
    "a webhook of another kind": (
        Files(flags="webhooks:\n- {event: apply, kind: teams, url: 'https://hooks.acme.example/a'}\n"),
        "webhooks[0].kind = 'teams': must be slack or http",
    ),
    "a webhook for plans": (
        Files(flags="webhooks:\n- {event: plan, kind: http, url: 'https://hooks.acme.example/a'}\n"),
        "webhooks[0].event = 'plan': must be apply or drift",
    ),
    "a webhook without a URL": (Files(flags="webhooks:\n- {event: apply, kind: http}\n"), "webhooks[0].url: missing"),
    "a webhook without a channel": (
        Files(flags="webhooks:\n- {event: apply, kind: slack}\n", settings=SLACK),
        "webhooks[0].channel: missing",
    ),
    "a webhook to Slack without a token": (
        Files(flags="webhooks:\n- {event: apply, kind: slack, channel: deployments}\n"),
        "webhooks of kind slack require slack-token in serverSecrets",
    ),
    "drift to Slack without a channel": (
        Files(flags="webhooks:\n- {event: drift, kind: slack}\n", settings={**SLACK, **DRIFT}),
        "webhooks[0].channel: missing",
    ),
    "drift to a mail": (
        Files(flags="webhooks:\n- {event: drift, kind: mail, url: 'https://hooks.acme.example/a'}\n", settings=DRIFT),
        "webhooks[0].kind = 'mail': must be slack or http",
    ),
    "a webhook with half a pattern": (
        Files(flags="webhooks:\n- {event: apply, kind: http, url: 'https://a.example/', branch-regex: '(main'}\n"),
        "webhooks[0].branch-regex = '(main': is not a regular expression",
    ),
    "a store without its block": (
        Files(flags="enable-external-stores: true\n"),
        "enable-external-stores requires external_stores.plan_store in repoConfigFile",
    ),
    "an unknown method": (Files(flags="automerge-method: fast-forward\n"), "must be one of merge, rebase, squash"),
    "an unknown distribution": (Files(flags="default-tf-distribution: tofu\n"), "must be one of terraform, opentofu"),
    "an unknown language": (Files(flags="language: klingon\n"), "Atlantis rejects the file: "),
    "half a pattern of files": (
        Files(flags="autoplan-file-list: '[*.tf'\n"),
        "Atlantis rejects the file: invalid pattern",
    ),
}
"""Refused by this program, with this reason, and by the server."""
