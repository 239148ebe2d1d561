import { routes, unmatchedRoute } from '../../../functions/routes.ts';
import type { Functions } from '../../../infra/local/load-functions.ts';
import type { EmulatedAws } from './emulated-aws.ts';
import { LambdaEnvironment } from './lambda-environment.ts';

interface Deployed {
  readonly Description?: string;
  readonly Environment: { readonly Variables: Record<string, string> };
}

interface Declared {
  readonly Description?: string;
  readonly Code: { readonly S3Key: string };
}

/** The functions of a stack, each run from what was uploaded for it, with its own configuration, once it is called. */
export class DeployedFunctions implements Functions {
  readonly handlers: Functions['handlers'];
  readonly authorize: Functions['authorize'];
  readonly sweep: Functions['sweep'];
  readonly #aws: EmulatedAws;
  readonly #stack: string;
  readonly #environments = new Map<string, Promise<LambdaEnvironment>>();

  constructor(aws: EmulatedAws, stack: string) {
    this.#aws = aws;
    this.#stack = stack;
    const names = [...Object.values(routes), unmatchedRoute].map((route) => route.function);
    this.handlers = new Map(names.map((name) => [name, (event) => this.#invoke(name, event)]));
    this.authorize = (event) => this.#invoke('authorize', event);
    this.sweep = (event) => this.#invoke('expire-leases', event);
  }

  async stop(): Promise<void> {
    for (const environment of this.#environments.values()) await (await environment).stop();
  }

  async #invoke<Answer>(name: string, event: unknown): Promise<Answer> {
    const environment = this.#environments.get(name) ?? this.#start(`Token Orchestrator: ${name}`);
    this.#environments.set(name, environment);
    return (await environment).invoke(event);
  }

  async #start(description: string): Promise<LambdaEnvironment> {
    const described = `[?Description=='${description}'] | [0]`;
    const deployed = await this.#aws.ask<Deployed>('lambda', 'list_functions', `Functions${described}`);
    const inTemplate = `values(TemplateBody.Resources)[].Properties | ${described}`;
    const { Code } = await this.#aws.ask<Declared>('cloudformation', 'get_template', inTemplate, {
      StackName: this.#stack,
    });
    const bucket = await this.#aws.ask<string>(
      's3',
      'list_buckets',
      "Buckets[?starts_with(Name, 'cdk-')].Name | [0]",
    );
    const file = await this.#aws.fetchCode(bucket, Code.S3Key);
    return LambdaEnvironment.start(file, { ...deployed.Environment.Variables, ...this.#aws.environment });
  }
}
