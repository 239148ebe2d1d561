/** A secret, and what of it stands nowhere by chance. */
export interface Planted {
  readonly name: string;
  readonly core: string;
}

/** Where which of the secrets stands, in clear, in hexadecimal or in base64, whatever stands around it. */
export function findTraces(
  planted: readonly Planted[],
  places: Iterable<readonly [place: string, bytes: Uint8Array | string]>,
): string[] {
  const forms = planted.map(({ name, core }) => [name, formsOf(core)] as const);
  return [...places].flatMap(([place, bytes]) => {
    const text = Buffer.from(bytes as Uint8Array)
      .toString('latin1')
      .toLowerCase();
    return forms.flatMap(([name, looks]) =>
      looks.some((one) => text.includes(one)) ? [`${name}: ${place}`] : [],
    );
  });
}

function formsOf(core: string): string[] {
  const bytes = Buffer.from(core);
  // The text may begin at each of a base64 group's three bytes; the characters at its ends hold bits of its neighbours.
  const base64 = [0, 1, 2].map((before) =>
    Buffer.concat([Buffer.alloc(before), bytes])
      .toString('base64')
      .slice(Math.ceil((before * 4) / 3), Math.floor(((before + bytes.length) * 4) / 3)),
  );
  const base64url = base64.map((text) => text.replaceAll('+', '-').replaceAll('/', '_'));
  return [core, bytes.toString('hex'), ...base64, ...base64url].map((text) => text.toLowerCase());
}
