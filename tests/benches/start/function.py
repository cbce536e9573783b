"""What a Python function does until its first event: imports boto3, builds the clients, asks the Runtime API."""

import os
from http.client import HTTPConnection

import boto3

session = boto3.session.Session()
clients = [session.client(name) for name in ("dynamodb", "sqs", "secretsmanager", "s3")]

api = HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
api.request("GET", "/2018-06-01/runtime/invocation/next")
api.getresponse()
