"""The stand-in for pulumi-awsx: `awsx:ec2:Vpc`, a component that consists of resources of the aws provider."""
