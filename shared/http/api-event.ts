import type {
  APIGatewayProxyEventV2WithLambdaAuthorizer,
  APIGatewayProxyStructuredResultV2,
} from 'aws-lambda';

/** Who the authorizer found the caller to be; `pools` is a JSON array, empty text for all pools. */
export interface VerifiedContext {
  readonly clientId: string;
  readonly role: string;
  readonly pools: string;
}

/**
 * What the authorizer passes on. `unverified`: the database did not answer it in time, so the function verifies the
 * credential itself; the caller then gets the function's 503 and not the gateway's bare 500.
 */
export type AuthorizerContext = VerifiedContext | { readonly unverified: 'true' };

export type ApiEvent = APIGatewayProxyEventV2WithLambdaAuthorizer<AuthorizerContext | undefined>;
export type ApiResponse = APIGatewayProxyStructuredResultV2;
