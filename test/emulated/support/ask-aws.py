"""Asks AWS' API: on each line [service, operation, JMESPath of what is wanted, arguments]; answers on a line as well."""

import json
import sys

import boto3
import jmespath

for line in sys.stdin:
    service, operation, wanted, arguments = json.loads(line)
    client = boto3.client(service)
    if client.can_paginate(operation):
        answer = client.get_paginator(operation).paginate(**arguments).build_full_result()
    else:
        answer = getattr(client, operation)(**arguments)
    print(json.dumps(jmespath.search(wanted, answer), default=str), flush=True)
