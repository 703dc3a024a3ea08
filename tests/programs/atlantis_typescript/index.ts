// Atlantis from the component package, with a VPC, a certificate, a zone and topics that the same program creates.
import * as aws from "@pulumi/aws";
import * as awsx from "@pulumi/awsx";
import * as pulumi from "@pulumi/pulumi";
import { Atlantis } from "./sdks/atlantis";

const network = new awsx.ec2.Vpc("network", {
    cidrBlock: "10.80.0.0/16",
    numberOfAvailabilityZones: 2,
    natGateways: { strategy: awsx.ec2.NatGatewayStrategy.Single },
});
const certificate = new aws.acm.Certificate("certificate", {
    domainName: "atlantis.example.com",
    validationMethod: "DNS",
});
const zone = new aws.route53.Zone("zone", { name: "example.com" });
const topics = ["on-call", "security"].map((name) => new aws.sns.Topic(name, { name }));
const first = (ids: pulumi.Output<string[]>) => [ids.apply((all) => all[0]), ids.apply((all) => all[1])];

const atlantis = new Atlantis("platform", {
    environment: "tools",
    network: {
        vpcId: network.vpcId,
        publicSubnetIds: first(network.publicSubnetIds),
        privateSubnetIds: first(network.privateSubnetIds),
    },
    ingress: {
        url: "https://atlantis.example.com",
        allowedCidrBlocks: new pulumi.Config().requireObject<string[]>("allowedCidrBlocks"),
        acmCertificateArn: certificate.arn,
        hostedZoneId: zone.zoneId,
    },
    server: {
        repoAllowlist: "github.com/example-organization/*",
        secretReaderArns: ["arn:aws:iam::123456789012:role/deployer"],
    },
    task: { cpu: 1024, memory: 2048, image: "ghcr.io/runatlantis/atlantis:v0.47.1" },
    terraform: { terraformIsolation: "tasks" },
    workers: { planWorkers: "1-2" },
    operations: { alarmTopicArns: topics.map((topic) => topic.arn), deletionProtection: false },
});

export const url = atlantis.url;
export const service = atlantis.ecsServiceName;
export const vpc = network.vpcId;
