// What a Node function does until its first event: loads the AWS SDK, builds the clients, asks the Runtime API.
const http = require("node:http");
const { DynamoDBClient } = require("@aws-sdk/client-dynamodb");
const { SQSClient } = require("@aws-sdk/client-sqs");
const { SecretsManagerClient } = require("@aws-sdk/client-secrets-manager");
const { S3Client } = require("@aws-sdk/client-s3");

const clients = [DynamoDBClient, SQSClient, SecretsManagerClient, S3Client].map((Client) => new Client({}));

http.get(`http://${process.env.AWS_LAMBDA_RUNTIME_API}/2018-06-01/runtime/invocation/next`, () => clients.length);
