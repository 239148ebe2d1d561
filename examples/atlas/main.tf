# What docs/deploy.md asks of Atlas, as code: a cluster, the role of the functions as its user, and who may connect.
#   export MONGODB_ATLAS_CLIENT_ID=... MONGODB_ATLAS_CLIENT_SECRET=...     (a service account, Project Owner)
#   terraform apply -var project_id=... -var aws_account=... -var stack_name=TokenOrchestrator-prod
# The role need not be there yet: its name is known, so this may come before the stack.

terraform {
  required_version = ">= 1.8"
  required_providers {
    mongodbatlas = {
      source  = "mongodb/mongodbatlas"
      version = "~> 2.0"
    }
  }
}

variable "project_id" {
  type = string
}

variable "aws_account" {
  type = string
}

variable "aws_region" {
  type    = string
  default = "eu-central-1"
}

variable "stack_name" {
  type    = string
  default = "TokenOrchestrator"
}

variable "instance_size" {
  type        = string
  description = "How many connections each has: docs/deploy.md, Connections"
  default     = "M10"
}

variable "pipeline_role" {
  type        = string
  description = "The role that makes indexes before a deployment, as in examples/github; empty: a person does"
  default     = ""
}

variable "allowed" {
  type        = set(string)
  description = "Who may try to connect. Everybody, where Lambda has no fixed addresses: the signed role decides"
  default     = ["0.0.0.0/0"]
}

resource "mongodbatlas_advanced_cluster" "cluster" {
  project_id                     = var.project_id
  name                           = var.stack_name
  cluster_type                   = "REPLICASET"
  backup_enabled                 = true
  termination_protection_enabled = true

  replication_specs = [
    {
      region_configs = [
        {
          provider_name = "AWS"
          region_name   = upper(replace(var.aws_region, "-", "_"))
          priority      = 7
          electable_specs = {
            instance_size = var.instance_size
            node_count    = 3
          }
        }
      ]
    }
  ]
}

resource "mongodbatlas_database_user" "roles" {
  for_each = toset(compact([
    "arn:aws:iam::${var.aws_account}:role/${var.stack_name}-${var.aws_region}-database",
    var.pipeline_role,
  ]))

  project_id         = var.project_id
  username           = each.key
  auth_database_name = "$external"
  aws_iam_type       = "ROLE"

  roles {
    role_name     = "readWrite"
    database_name = "token_orchestrator"
  }

  scopes {
    name = mongodbatlas_advanced_cluster.cluster.name
    type = "CLUSTER"
  }
}

resource "mongodbatlas_project_ip_access_list" "allowed" {
  for_each   = var.allowed
  project_id = var.project_id
  cidr_block = each.key
}

output "mongodb_uri" {
  description = "The parameter mongodbUri"
  value       = "${mongodbatlas_advanced_cluster.cluster.connection_strings.standard_srv}/token_orchestrator"
}
