# Each target runs one command. The code is in the Python packages, such as sandbox/ (a stack on one machine).
STACK ?= local
BASE_PYTHON ?= python3
WORKERS ?= 4
PYTHON := .venv/bin/python
SANDBOX = $(PYTHON) -m sandbox
# Commands that ask AWS for other stacks than local ask the sandbox with IN=sandbox.
IN_SANDBOX = $(filter local,$(STACK))$(filter sandbox,$(IN))
# pip-tools would resolve only for the machine on which it runs. `pulumi install` and `pulumi policy publish` verify the hashes.
COMPILE = .venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate \
	--custom-compile-command "make lock" $(if $(UPGRADE),--upgrade)
export PIP_CACHE_DIR := $(CURDIR)/.sandbox/cache/pip
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Container images often set it. Every process would compile the AWS SDK again, which nearly doubles the time of a preview.
unexport PYTHONDONTWRITEBYTECODE
# PLUGINS=official downloads the official provider plugins with the CLI, uses them instead of the stand-ins, and runs only the tests
# whose results depend on the plugins' answers.
ifdef PLUGINS
export ATLANTIS_SANDBOX_PLUGINS := $(PLUGINS)
  TESTS ?= tests/sandbox/providers/test_official.py $(addprefix tests/sandbox/test_,stack.py upgrade.py existing_parts.py production.py)
endif
TESTS ?= tests/conformance tests/sandbox tests/preflight

.DEFAULT_GOAL := help
.PHONY: help up preview refresh down outputs env status logs password webhook attack preflight drift cost dashboard trust-policy boundary adopt policy-check policy-config policy-baseline \
	test lint lock settings format test-unit test-adoption test-policy test-sandbox mutants conformance scan bench builds first programs python-version clean

help: ## list the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo "  STACK=prod uses the production settings, in the sandbox too. PLUGINS=official uses the official provider plugins."
	@echo "  For another stack than local, status, preflight and drift ask AWS. IN=sandbox asks the sandbox."

up: $(if $(wildcard .venv/installed),.venv/installed,first) ## deploy the stack into a local AWS and start Atlantis
	@$(SANDBOX) up --stack $(STACK)

preview: .venv/installed ## show what up would change, and the policy findings; needs no AWS credentials
	@$(SANDBOX) preview --stack $(STACK)

refresh: .venv/installed ## detect drift of the stack itself, and update the state
	@$(SANDBOX) refresh --stack $(STACK)

down: .venv/installed ## destroy all unprotected resources and stop every process; FORCE=1 destroys the protected ones too
	@$(SANDBOX) down --stack $(STACK) $(if $(FORCE),--force)

outputs: .venv/installed ## print the stack's outputs as JSON
	@$(SANDBOX) outputs --stack $(STACK)

env: .venv/installed ## print exports that point an AWS client at the local AWS, for eval
	@$(SANDBOX) env --stack $(STACK)

status: .venv/installed ## show the server, workers, locks, alarms and the last deployment; STACK=prod reads your AWS account, JSON=1 prints JSON
	@$(if $(IN_SANDBOX),$(SANDBOX) status,$(PYTHON) -m preflight.status $(if $(JSON),--json)) --stack $(STACK)

logs: .venv/installed ## follow Atlantis' log
	@$(SANDBOX) logs --stack $(STACK)

password: .venv/installed ## print the user and the password of the web page
	@$(SANDBOX) password --stack $(STACK)

webhook: .venv/installed ## send a signed sample event and show the resulting plan
	@$(SANDBOX) webhook --stack $(STACK)

.PHONY: pr rehearse host
pr: .venv/installed ## open a pull request: FROM=folder BRANCH= BASE=; or continue: NUMBER=n FROM= APPROVE=1 COMMENT="atlantis apply" MERGE=1 CLOSE=1
	@$(SANDBOX) pr --stack $(STACK) $(if $(FROM),--from "$(FROM)") $(if $(BRANCH),--branch "$(BRANCH)") $(if $(BASE),--base "$(BASE)") $(if $(NUMBER),--number $(NUMBER)) \
		$(if $(APPROVE),--approve) $(if $(COMMENT),--comment "$(COMMENT)") $(if $(MERGE),--merge) $(if $(CLOSE),--close)

rehearse: .venv/installed ## plan your repository in the sandbox, and derive its least-privilege roles: REPO=path DIR=folder BASE=branch DOWNLOAD=1; APPLY=1 applies it, too
	@$(SANDBOX) rehearse --stack $(STACK) --repo "$(REPO)" $(if $(DIR),--dir "$(DIR)") $(if $(BASE),--base "$(BASE)") $(if $(APPLY),--apply) $(if $(DOWNLOAD),--download)

host: .venv/installed ## build a real host of repositories, deploy the stack to it, and apply a pull request there: HOST=gitea
	@$(SANDBOX) host --stack $(STACK) --host "$(HOST)"

attack: .venv/installed ## attack the deployed stack and print the result of each attack; exit code 1 if an attack succeeds
	@$(PYTHON) -m sandbox.attack --stack $(STACK)

preflight: .venv/installed ## check what a deployment needs: image, secrets, certificate, network, state; STACK=prod checks your AWS account
	@$(if $(IN_SANDBOX),$(SANDBOX),$(PYTHON) -m) preflight --stack $(STACK)

drift: .venv/installed ## detect drift now in the projects of driftProjects, and print a table; STACK=prod asks your deployed stack
	@$(if $(IN_SANDBOX),$(SANDBOX) drift,$(PYTHON) -m preflight.drift) --stack $(STACK)

cost: .venv/installed ## print what a stack costs a month, part by part, with AWS' current prices; uses your AWS credentials
	@$(PYTHON) -m preflight.cost --stack $(if $(filter local,$(STACK)),prod,$(STACK))

dashboard: .venv/installed ## open the stack's CloudWatch dashboard, and print its address
	@$(PYTHON) -m preflight.dashboard --stack $(if $(filter local,$(STACK)),prod,$(STACK))

.PHONY: restore-check restore
restore-check: .venv/installed ## show which recovery points of the data directory are usable; FILE_SYSTEM=fs-... checks those of a lost file system
	@$(PYTHON) -m preflight.restore --stack $(STACK) $(if $(FILE_SYSTEM),--file-system "$(FILE_SYSTEM)")

restore: .venv/installed ## restore the data directory, as docs/runbooks.md explains: STACK=prod RECOVERY_POINT=newest or its ARN
	@$(PYTHON) -m preflight.restore --stack $(STACK) --recovery-point "$(RECOVERY_POINT)"

.PHONY: upgrade-check uninstall
upgrade-check: .venv/installed ## compare the running server with the one that the stack file names: image, flags, how to go back
	@$(PYTHON) -m preflight.upgrade --stack $(STACK)

uninstall: .venv/installed ## destroy a stack in your AWS account, protected resources too, and print what remains; Pulumi asks before each step
	pulumi config set atlantis:deletionProtection false --stack $(STACK)
	pulumi up --stack $(STACK)
	pulumi destroy --stack $(STACK)
	@$(PYTHON) -m preflight.remains --stack $(STACK)

trust-policy: .venv/installed ## print the trust policy for a role that Terraform assumes; SETTING=repositoryRoles for one of these; EXTERNAL_ID=... adds an ID
	@$(PYTHON) -m preflight.trust_policy --stack $(if $(filter local,$(STACK)),prod,$(STACK)) $(if $(SETTING),--setting "$(SETTING)") $(if $(EXTERNAL_ID),--external-id "$(EXTERNAL_ID)")

boundary: .venv/installed ## print a permissions boundary to start from; uses your AWS credentials
	@$(PYTHON) -m preflight.boundary_document --stack $(if $(filter local,$(STACK)),prod,$(STACK))

adopt: .venv/installed ## adopt a running Terraform stack: STATE=terraform.tfstate STACK=prod; REHEARSE=1 rehearses it, WRITE=1 writes the files
	@$(PYTHON) -m $(if $(REHEARSE),sandbox.adoption_rehearsal,adoption) --state "$(STATE)" --stack $(if $(filter local,$(STACK)),prod,$(STACK)) $(if $(WRITE),--write) $(if $(ACCEPT_LOST),--accept-lost "$(ACCEPT_LOST)")

policy-check: .venv/installed ## check an exported state against the policy pack: STATE=file.json CONFIG=file.json, SARIF=file for code hosts, ALL=1 prints every finding
	@$(SANDBOX) policy-check --state "$(STATE)" $(if $(CONFIG),--config "$(CONFIG)") $(if $(SARIF),--sarif "$(SARIF)") $(if $(ALL),--all)

policy-config: .venv/installed ## write the policy pack's configuration of a stack from its settings: STACK=dev
	@$(PYTHON) -m preflight.policy_configuration --stack $(STACK)

policy-baseline: .venv/installed ## exempt the findings of an exported state: STATE=file.json CONFIG=file.json OUTPUT=file.json UNTIL=date
	@$(SANDBOX) policy-baseline --state "$(STATE)" $(if $(CONFIG),--config "$(CONFIG)") $(if $(OUTPUT),--output "$(OUTPUT)") $(if $(UNTIL),--until "$(UNTIL)")

test: export ATLANTIS_SKIPPED := $(CURDIR)/.sandbox/skipped.txt
test: ## run all tests, and list the skipped ones with what they need
	@rm -f "$(ATLANTIS_SKIPPED)"
	@# The builds run in parallel with the checks, which use one core at a time. Each target's output is one block.
	@$(MAKE) --no-print-directory --jobs=2 $(if $(filter output-sync,$(.FEATURES)),--output-sync=target) builds $(if $(PLUGINS),,lint test-adoption test-unit test-policy)
	@$(MAKE) --no-print-directory test-sandbox; code=$$?; $(PYTHON) -m tests.needs "$(ATLANTIS_SKIPPED)"; exit $$code

# On a new checkout, the packages are downloaded while the programs are built.
first:
	@$(MAKE) --no-print-directory --jobs=2 .venv/installed programs

programs: python-version
	@$(BASE_PYTHON) -m sandbox.builds engine atlantis

builds: export ATLANTIS_SANDBOX_ENGINE ?= pinned
builds: python-version
	@nice $(BASE_PYTHON) -m sandbox.builds engine atlantis yaml typescript

lint: .venv/installed .sandbox/tools/actionlint ## check style, types, workflows and the Dockerfile
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@.venv/bin/basedpyright
	@.sandbox/tools/actionlint
	@.venv/bin/zizmor --quiet --offline .github
	@.venv/bin/hadolint docker/Dockerfile

settings: .venv/installed ## write the settings into Pulumi.yaml and docs/settings.md
	@$(PYTHON) -m components.settings.reference

format: .venv/installed ## format the code
	@.venv/bin/ruff format .

lock: .venv/installed ## compile requirements*.in into requirements*.txt, with hashes; UPGRADE=1 upgrades the versions
	@$(COMPILE) requirements-dev.in --output-file requirements-dev.txt
	@$(COMPILE) requirements.in --constraints requirements-dev.txt --output-file requirements.txt
	@$(COMPILE) requirements.in --constraints requirements-dev.txt --output-file components/requirements.txt
	@$(COMPILE) policy/requirements.in --constraints requirements-dev.txt --output-file policy/requirements.txt
	@$(COMPILE) requirements-go.in --output-file requirements-go.txt

test-unit: .venv/installed ## run the unit tests: inputs, settings, the programs of workers
	@$(PYTHON) -m pytest -q tests/unit

test-adoption: .venv/installed ## run the tests of adoption, without an engine
	@$(PYTHON) -m pytest -q tests/adoption

test-policy: .venv/installed ## run the policy pack's tests, without an engine
	@$(PYTHON) -m pytest -q tests/policy

test-sandbox: .venv/installed ## run the end-to-end tests: engine, local AWS, Atlantis, faults
	@# Many of these tests wait, so there are more workers than cores. Files with long tests run first, so that none runs alone at the end.
	@# RETRY=1: what failed runs once more, by itself and up to the first failure. Both runs are in the output.
	@$(PYTHON) -m pytest -q -p no:hypothesispytest --numprocesses $(WORKERS) --dist loadfile --no-loadscope-reorder --durations 25 --durations-min 10 $(TESTS) \
	  || { code=$$?; [ $$code = 1 ] && [ -n "$(RETRY)" ] || exit $$code; echo "==> Running the failed tests once more"; \
	  $(PYTHON) -m pytest -q -p no:hypothesispytest --last-failed --last-failed-no-failures none --exitfirst $(TESTS); }

mutants: .venv/installed ## change the last commit's code at random places, and list the changes that no fast test notices: SAMPLE=10 SEED=1
	@$(PYTHON) -m tests.mutants $(if $(SAMPLE),--sample $(SAMPLE)) $(if $(SEED),--seed $(SEED))

.PHONY: version-ranges
version-ranges: .venv/installed ## run the unit tests with the oldest and the newest SDKs that the package accepts: END=lowest
	@$(PYTHON) -m tests.version_ranges $(if $(END),--end $(END))

.PHONY: image
image: .venv/installed ## build the image of docker/ with buildah on a stand-in of the stock image, and run its programs; takes minutes
	@$(PYTHON) -m pytest -q -rs tests/image

conformance: .venv/installed ## plan the stack with the official Terraform AWS provider, if it is installed, and run Atlantis' own test cases
	@$(BASE_PYTHON) -m sandbox.builds conftest
	@CONFORMANCE=all $(PYTHON) -m pytest -v tests/conformance tests/sandbox/providers/test_replacements.py tests/sandbox/test_upstream_cases.py

scan: .venv/installed ## scan the stack with checkov and record the failed checks, if the Terraform AWS provider is installed
	@$(PYTHON) -m sandbox.conformance.scan

bench: .venv/installed ## measure previews, updates, memory and the policy pack
	@$(PYTHON) -m tests.bench

clean: .venv/installed ## stop every process and remove all files that this checkout created
	@$(SANDBOX) down --stack $(STACK) --force
	rm -rf .sandbox .venv policy/.venv

python-version:
	@$(BASE_PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is required, not " + sys.version.split()[0] + "; set it with make BASE_PYTHON=python3.11")'

# Python compiles a module when it is first imported. Most modules of the AWS SDK never are.
.venv/installed: requirements-dev.txt | python-version
	@echo "==> Installing the Python packages into .venv (once, a minute or two)" >&2
	@$(BASE_PYTHON) -m venv .venv
	@.venv/bin/pip install --quiet --no-compile --require-hashes -r requirements-dev.txt
	@# An installed Pulumi CLI runs the policy pack in policy/.venv. Here, this is a link to the project's environment.
	@test -e policy/.venv || ln -sfn ../.venv policy/.venv
	@touch $@

.sandbox/tools/actionlint: .github/actionlint/go.mod .github/actionlint/go.sum | python-version
	@rm -f $@
	@$(BASE_PYTHON) -m sandbox.builds actionlint
