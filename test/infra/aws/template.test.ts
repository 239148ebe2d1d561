import { CelEngine } from '@aws/cloudformation-validate';
import { describe, expect, it } from 'vitest';
import { EVERY_OPTION, synthesize } from './support/synthesize.ts';

describe.each([
  ['the default', undefined],
  ['every option', EVERY_OPTION],
])('the template of %s', (_name, parameters) => {
  const json = JSON.stringify(synthesize(parameters).template.toJSON());

  it('has no finding of AwsSolutions that is not acknowledged, and none of cloudformation-validate', {
    timeout: 120_000, // On a machine that does much else.
  }, () => {
    // Findings of cdk-nag are errors of the synthesis.
    const engine = new CelEngine();
    const template = { path: 'template.json', readBytes: () => Buffer.from(json) };
    try {
      const { diagnostics } = engine.validateStandard(template, {
        severityLevel: 'WARN',
        // CDK states a dependency on a role as a whole, for the sake of its policies; the role itself is then there twice.
        exclude: { ids: ['W3005'] },
      });
      const findings = diagnostics.map(
        ({ severity, ruleId, message }) => `${severity} ${ruleId}: ${message}`,
      );
      expect(findings).toEqual([]);
    } finally {
      engine.free();
    }
  });

  it('asks nothing of an account: no lookup, no fixed account or region', () => {
    expect(json).not.toMatch(/dummy-value|dummy1a/);
  });
});
