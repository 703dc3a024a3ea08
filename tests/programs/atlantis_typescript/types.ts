// What may be an output, and what must be a plain value, as the compiler sees it.
import * as pulumi from "@pulumi/pulumi";
import { AtlantisArgs } from "./sdks/atlantis";
import { IngressArgsArgs, NetworkArgsArgs } from "./sdks/atlantis/types/input";

declare const output: pulumi.Output<string>;

export const vpcId: NetworkArgsArgs["vpcId"] = output;
export const subnetIds: NetworkArgsArgs["publicSubnetIds"] = [output, "subnet-0123456789abcdef0"];
export const certificate: IngressArgsArgs["acmCertificateArn"] = output;
// @ts-expect-error The names of resources depend on it.
export const environment: AtlantisArgs["environment"] = output;
// @ts-expect-error The number of rules depends on it.
export const ranges: IngressArgsArgs["allowedCidrBlocks"] = [output];
// @ts-expect-error The number of subnets is known.
export const unknownNumber: NetworkArgsArgs["publicSubnetIds"] = pulumi.output(["subnet-0123456789abcdef0"]);
