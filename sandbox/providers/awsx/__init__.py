"""The stand-in for pulumi-awsx: `awsx:ec2:Vpc`, a component made of the aws provider's resources."""
