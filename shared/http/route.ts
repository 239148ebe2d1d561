/**
 * Who may call a route. `anyone`: no credential; `authenticated`: whoever has one; `viewer`: reads, so viewers and
 * admins; `client`: leases, so clients and admins.
 */
export type Access = 'anyone' | 'authenticated' | 'viewer' | 'client' | 'admin';

/** The largest request body, in bytes, where the route says nothing else. */
export const MAX_BODY_BYTES = 64 * 1024;

/** One row of the route table. */
export interface Route {
  readonly methods: readonly ('GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE')[];
  /** As API Gateway writes it, parameters in braces. */
  readonly path: string;
  readonly access: Access;
  /** The file in `functions/`, without its ending, and the name of the Lambda function. */
  readonly function: string;
  /** It seals or opens imported values. */
  readonly usesValues?: true;
  /** The largest body; {@link MAX_BODY_BYTES} when absent. */
  readonly maxBodyBytes?: number;
}
