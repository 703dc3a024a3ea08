# What the public module takes as it is: the network, the zone and the secrets.

terraform {
  required_providers {
    aws = {
      source = "hashicorp/aws"
    }
  }
}

provider "aws" {
  skip_metadata_api_check     = true
  skip_credentials_validation = true
}

locals {
  zones = { "ap-northeast-2a" = 1, "ap-northeast-2b" = 2 }
}

resource "aws_vpc" "this" {
  cidr_block = "10.20.0.0/16"
}

resource "aws_subnet" "public" {
  for_each          = local.zones
  vpc_id            = aws_vpc.this.id
  cidr_block        = "10.20.${each.value}.0/24"
  availability_zone = each.key
}

resource "aws_subnet" "private" {
  for_each          = local.zones
  vpc_id            = aws_vpc.this.id
  cidr_block        = "10.20.1${each.value}.0/24"
  availability_zone = each.key
}

resource "aws_route53_zone" "this" {
  name = "example.com"
}

resource "aws_secretsmanager_secret" "app" {
  name = "atlantis-app"
}

resource "aws_secretsmanager_secret" "webhook" {
  name = "atlantis-webhook"
}
