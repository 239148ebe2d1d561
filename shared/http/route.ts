/** Who may call a route. `anyone`: no credential; `viewer`: reads, so viewers and admins; `client`: leases, so clients and admins. */
export type Access = 'anyone' | 'viewer' | 'client' | 'admin';

/** One row of the route table. */
export interface Route {
  readonly methods: readonly ('GET' | 'HEAD' | 'POST' | 'PUT' | 'DELETE')[];
  /** As API Gateway writes it, parameters in braces. */
  readonly path: string;
  readonly access: Access;
  /** The file in `functions/`, without its ending, and the name of the Lambda function. */
  readonly function: string;
}
