"""
moto's server, whose CloudFormation knows the types of our stack.

moto has their services, but its CloudFormation lacks most of the types and drops properties of others (tags, logging,
architecture). Each row of KINDS makes a resource by the service's own API instead, so that botocore refuses a property
that the API does not know. What stays different from AWS:

| resource | here | why |
|---|---|---|
| ResponseHeadersPolicy | has an id and nothing else | moto's CloudFront has none |
| BucketPolicy | has an id and nothing else | moto's S3 denies what a Deny names without its condition (no TLS) |
| CDKBucketDeployment | CDK's own handler and AWS CLI, from the assets | no Docker, in which moto runs functions |
| S3AutoDeleteObjects | empties the bucket by itself | the same, and the handler wants Node's SDK |
"""

import contextlib
import functools
import importlib.util
import io
import json
import os
import re
import subprocess
import sys
import tempfile
import zipfile

import boto3
from botocore.exceptions import ClientError
from moto.awslambda.utils import get_backend
from moto.cloudformation import parsing
from moto.cloudformation.exceptions import ValidationError
from moto.core import DEFAULT_ACCOUNT_ID as ACCOUNT
from moto.s3.models import FakeBucket
from moto.server import ThreadedMotoServer

REGION = os.environ["AWS_REGION"]

client = functools.cache(boto3.client)


def call(service, operation, **arguments):
    return getattr(client(service), operation)(**arguments)


class Resource:
    def __init__(self, kind, properties, made):
        self.kind, self.properties = kind, properties
        # The id that a Ref gives, and what Fn::GetAtt does.
        self.physical_resource_id, self.attributes = made if isinstance(made, tuple) else (made, {})

    def get_cfn_attribute(self, name):
        return self.attributes[name]

    def is_created(self):
        return True

    def delete(self, _account, _region):
        try:
            self.kind.delete(self.physical_resource_id, self.properties)
        except ClientError as error:
            # What it was part of may have gone first.
            if not re.search("NotFound|NoSuch", error.response["Error"]["Code"]):
                raise


def leave(_id, _properties):
    """Nothing to do."""


class Kind:
    """Stands where moto expects a class of resources."""

    def __init__(self, create, delete=leave, update=None):
        self.create, self.delete, self.update = create, delete, update

    def has_cfn_attr(self, _name):
        return True

    def create_from_cloudformation_json(self, name, template, _account, _region, **_rest):
        with blaming(template["Type"], name):
            return Resource(self, template["Properties"], self.create(name, dict(template["Properties"])))

    def update_from_cloudformation_json(self, original_resource, cloudformation_json, **_rest):
        properties, name = cloudformation_json["Properties"], original_resource.physical_resource_id
        with blaming(cloudformation_json["Type"], name):
            self.update(name, dict(properties))  # Fails for a kind without: moto would go on with what was.
        original_resource.properties = properties
        return original_resource


@contextlib.contextmanager
def blaming(kind, name):
    try:
        yield
    except Exception as error:  # Any other kind would be an answer 500, after which the CDK tries again.
        raise ValidationError(name, f"{kind} {name}: {error!r}") from error


def as_map(tags):
    return {tag["Key"]: tag["Value"] for tag in tags}


def create_event_bus(_name, properties):
    made = call("events", "create_event_bus", **properties)
    return properties["Name"], {"Name": properties["Name"], "Arn": made["EventBusArn"]}


def delete_event_bus(name, _properties):
    call("events", "delete_event_bus", Name=name)


def in_camel_case(value):
    if isinstance(value, dict):
        return {key[0].lower() + key[1:]: in_camel_case(part) for key, part in value.items()}
    return [in_camel_case(part) for part in value] if isinstance(value, list) else value


def of_gateway(noun):
    key = f"{noun.capitalize()}Id" if noun != "stage" else "StageName"

    def whose(identity, properties):
        return {"ApiId": properties["ApiId"], key: identity} if noun != "api" else {key: identity}

    def create(_name, properties):
        made = call("apigatewayv2", f"create_{noun}", **properties)
        return made[key], made

    def update(identity, properties):
        for fixed in ("Tags", "ProtocolType"):
            properties.pop(fixed, None)
        call("apigatewayv2", f"update_{noun}", **{**properties, **whose(identity, properties)})

    def delete(identity, properties):
        call("apigatewayv2", f"delete_{noun}", **whose(identity, properties))

    return Kind(create, delete, update)


def create_function(name, properties):
    name = name[:64]
    tags = as_map(properties.pop("Tags", []))
    made = call("lambda", "create_function", FunctionName=name, Tags=tags, **properties)
    return name, {"Arn": made["FunctionArn"]}


def delete_function(name, _properties):
    call("lambda", "delete_function", FunctionName=name)


def publish_layer(name, properties):
    return call("lambda", "publish_layer_version", LayerName=name, **properties)["LayerVersionArn"]


def delete_layer(arn, _properties):
    _, name, version = arn.rsplit(":", 2)
    call("lambda", "delete_layer_version", LayerName=name, VersionNumber=int(version))


def update_function(name, properties):
    code, tags = properties.pop("Code"), as_map(properties.pop("Tags", []))
    properties.pop("Architectures", None)
    arn = call("lambda", "update_function_configuration", FunctionName=name, **properties)["FunctionArn"]
    call("lambda", "update_function_code", FunctionName=name, **code)
    call("lambda", "tag_resource", Resource=arn, Tags=tags)


def create_log_group(name, properties):
    call("logs", "create_log_group", logGroupName=name, tags=as_map(properties.get("Tags", [])))
    set_retention(name, properties)
    group = call("logs", "describe_log_groups", logGroupNamePrefix=name)["logGroups"][0]
    return name, {"Arn": group["arn"]}


def delete_log_group(name, _properties):
    call("logs", "delete_log_group", logGroupName=name)


def set_retention(name, properties):
    call("logs", "put_retention_policy", logGroupName=name, retentionInDays=properties["RetentionInDays"])


def put_metric_filter(name, properties):
    call("logs", "put_metric_filter", filterName=name, **in_camel_case(properties))
    return name


def delete_metric_filter(name, properties):
    call("logs", "delete_metric_filter", filterName=name, logGroupName=properties["LogGroupName"])


def put_alarm(name, properties):
    call("cloudwatch", "put_metric_alarm", AlarmName=name, **properties)
    return name, {"Arn": call("cloudwatch", "describe_alarms", AlarmNames=[name])["MetricAlarms"][0]["AlarmArn"]}


def delete_alarm(name, _properties):
    call("cloudwatch", "delete_alarms", AlarmNames=[name])


def create_schedule(name, properties):
    name = name[:64]
    return name, {"Arn": call("scheduler", "create_schedule", Name=name, **properties)["ScheduleArn"]}


def update_schedule(name, properties):
    call("scheduler", "update_schedule", Name=name, **properties)


def delete_schedule(name, _properties):
    call("scheduler", "delete_schedule", Name=name)


def create_secret(name, properties):
    wanted = properties.pop("GenerateSecretString")
    template, key = json.loads(wanted.pop("SecretStringTemplate", "{}")), wanted.pop("GenerateStringKey", None)
    secret = call("secretsmanager", "get_random_password", **wanted)["RandomPassword"]
    text = json.dumps({**template, key: secret}) if key else secret
    return call("secretsmanager", "create_secret", Name=name, SecretString=text, **properties)["ARN"]


def in_quantities(value):
    """As CloudFront's API has lists."""
    if isinstance(value, dict):
        return {key: in_quantities(part) for key, part in value.items()}
    if isinstance(value, list):
        return {"Quantity": len(value), "Items": [in_quantities(part) for part in value]}
    return value


def distribution_config(name, properties):
    config = in_quantities(properties["DistributionConfig"])
    for behavior in [config["DefaultCacheBehavior"], *config.get("CacheBehaviors", {}).get("Items", [])]:
        if "AllowedMethods" in behavior:
            cached = behavior.pop("CachedMethods", in_quantities(["GET", "HEAD"]))
            behavior["AllowedMethods"]["CachedMethods"] = cached
    for origin in config["Origins"]["Items"]:
        custom = origin.get("CustomOriginConfig", {})
        if custom:
            custom.update(OriginSslProtocols=custom.pop("OriginSSLProtocols"), HTTPPort=80, HTTPSPort=443)
    config["IsIPV6Enabled"] = config.pop("IPV6Enabled")
    return {"CallerReference": name, "Comment": "", **config}


def create_distribution(name, properties):
    tags = {"Items": properties.get("Tags", [])}
    config = {"DistributionConfig": distribution_config(name, properties), "Tags": tags}
    made = call("cloudfront", "create_distribution_with_tags", DistributionConfigWithTags=config)["Distribution"]
    return made["Id"], made


def update_distribution(identity, properties):
    tag = call("cloudfront", "get_distribution", Id=identity)["ETag"]
    config = distribution_config(identity, properties)
    call("cloudfront", "update_distribution", Id=identity, IfMatch=tag, DistributionConfig=config)


def delete_distribution(identity, _properties):
    tag = call("cloudfront", "get_distribution", Id=identity)["ETag"]
    call("cloudfront", "delete_distribution", Id=identity, IfMatch=tag)


def create_edge_function(name, properties):
    made = call(
        "cloudfront",
        "create_function",
        Name=name[:64],
        FunctionConfig=properties["FunctionConfig"],
        FunctionCode=properties["FunctionCode"].encode(),
    )["FunctionSummary"]
    return made["Name"], made["FunctionMetadata"]


def delete_edge_function(name, _properties):
    tag = call("cloudfront", "describe_function", Name=name)["ETag"]
    call("cloudfront", "delete_function", Name=name, IfMatch=tag)


def create_access_control(_name, properties):
    made = call("cloudfront", "create_origin_access_control", **properties)["OriginAccessControl"]
    return made["Id"], made


def delete_access_control(identity, _properties):
    tag = call("cloudfront", "get_origin_access_control", Id=identity)["ETag"]
    call("cloudfront", "delete_origin_access_control", Id=identity, IfMatch=tag)


def put_queue_policy(name, properties):
    for url in properties["Queues"]:
        policy = json.dumps(properties["PolicyDocument"])
        call("sqs", "set_queue_attributes", QueueUrl=url, Attributes={"Policy": policy})
    return name


def add_permission(name, properties):
    call("lambda", "add_permission", StatementId=name, **properties)
    return name


def remove_permission(name, properties):
    call("lambda", "remove_permission", StatementId=name, FunctionName=properties["FunctionName"])


def put_invoke_config(name, properties):
    properties.pop("Qualifier")
    call("lambda", "put_function_event_invoke_config", **properties)
    return name


def create_named(name, _properties):
    return name


KINDS = {
    "AWS::ApiGatewayV2::Api": of_gateway("api"),
    "AWS::ApiGatewayV2::Authorizer": of_gateway("authorizer"),
    "AWS::ApiGatewayV2::Integration": of_gateway("integration"),
    "AWS::ApiGatewayV2::Route": of_gateway("route"),
    "AWS::ApiGatewayV2::Stage": of_gateway("stage"),
    "AWS::CloudFront::Distribution": Kind(create_distribution, delete_distribution, update_distribution),
    "AWS::CloudFront::Function": Kind(create_edge_function, delete_edge_function),
    "AWS::CloudFront::OriginAccessControl": Kind(create_access_control, delete_access_control),
    "AWS::CloudFront::ResponseHeadersPolicy": Kind(create_named, update=leave),
    "AWS::CloudWatch::Alarm": Kind(put_alarm, delete_alarm, put_alarm),
    "AWS::Events::EventBus": Kind(create_event_bus, delete_event_bus),
    "AWS::Lambda::EventInvokeConfig": Kind(put_invoke_config, update=put_invoke_config),
    "AWS::Lambda::Function": Kind(create_function, delete_function, update_function),
    "AWS::Lambda::LayerVersion": Kind(publish_layer, delete_layer),
    "AWS::Lambda::Permission": Kind(add_permission, remove_permission),
    "AWS::Logs::LogGroup": Kind(create_log_group, delete_log_group, set_retention),
    "AWS::Logs::MetricFilter": Kind(put_metric_filter, delete_metric_filter, put_metric_filter),
    "AWS::S3::BucketPolicy": Kind(create_named, update=leave),
    "AWS::SQS::QueuePolicy": Kind(put_queue_policy, update=put_queue_policy),
    "AWS::Scheduler::Schedule": Kind(create_schedule, delete_schedule, update_schedule),
    "AWS::SecretsManager::Secret": Kind(create_secret),
}


@functools.cache
def unpack(code):
    folder = tempfile.mkdtemp()
    zipfile.ZipFile(io.BytesIO(code)).extractall(folder)
    return folder


class CustomResource(Kind):
    """Does at once what the function behind it would do."""

    def __init__(self):
        super().__init__(self.make, self.empty, lambda _id, properties: self.upload(properties))

    def make(self, name, properties):
        if "DestinationBucketName" in properties:
            self.upload(properties)
        return name

    def upload(self, properties):
        functions = get_backend(ACCOUNT, REGION)
        uploader = functions.get_function(properties["ServiceToken"])
        layer = unpack(functions.layers_versions_by_arn(uploader.layers[0]["Arn"]).code_bytes)
        spec = importlib.util.spec_from_file_location("uploader", f"{unpack(uploader.code_bytes)}/index.py")
        handler = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(handler)
        run = subprocess.check_call
        handler.aws_command = lambda *words: run([sys.executable, f"{layer}/awscli/aws", *words])
        # CloudFormation sends a custom resource nothing but text.
        texts = {name: str(value).lower() for name, value in properties.items() if isinstance(value, bool)}
        answers = []
        handler.cfn_send = lambda _event, _context, status, **rest: answers.append((status, rest))
        handler.handler({"RequestType": "Create", "ResourceProperties": {**properties, **texts}}, None)
        if answers[0][0] != "SUCCESS":
            raise RuntimeError(answers)

    def empty(self, _name, properties):
        if "BucketName" in properties:
            boto3.resource("s3").Bucket(properties["BucketName"]).objects.all().delete()


if __name__ == "__main__":
    parsing.get_model_map().update(KINDS)
    parsing.CustomModel = CustomResource()
    # moto leaves a bucket with files, and says nothing: this fails, and is tried again after the others.
    FakeBucket.delete_from_cloudformation_json = lambda name, *_rest: call("s3", "delete_bucket", Bucket=name)
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    # By its name: behind a number moto takes the first part of it for the template's bucket.
    os.environ["AWS_ENDPOINT_URL"] = f"http://localhost:{server.get_host_and_port()[1]}"
    print(os.environ["AWS_ENDPOINT_URL"], flush=True)
    sys.stdin.read()  # Until whoever started it goes.
