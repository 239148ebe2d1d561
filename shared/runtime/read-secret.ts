import { DatabaseUnavailableError } from '../domain/errors.ts';

/**
 * The text of a secret in AWS Secrets Manager. The SDK is the Lambda runtime's own and is loaded only here, so that a
 * function without a secret carries and loads nothing of it.
 * @throws DatabaseUnavailableError when the secret cannot be read: the next invocation tries again
 */
export async function readSecret(arn: string): Promise<string> {
  const { SecretsManagerClient, GetSecretValueCommand } = await import('@aws-sdk/client-secrets-manager');
  const client = new SecretsManagerClient({
    maxAttempts: 2,
    requestHandler: { connectionTimeout: 1000, requestTimeout: 2000, throwOnRequestTimeout: true },
  });
  try {
    const { SecretString } = await client.send(new GetSecretValueCommand({ SecretId: arn }));
    return SecretString ?? '';
  } catch (error) {
    throw new DatabaseUnavailableError({ cause: error });
  } finally {
    client.destroy();
  }
}
