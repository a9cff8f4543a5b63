const codes = { red: 31, green: 32, yellow: 33, dim: 2, bold: 1 } as const;

export type Paint = Readonly<Record<keyof typeof codes, (text: string) => string>>;

/** Functions that colour a text, or leave it as it is. */
export function createPaint(enabled: boolean): Paint {
  const paint = (code: number) => (text: string) =>
    enabled && text !== '' ? `\u001B[${code}m${text}\u001B[0m` : text;
  return {
    red: paint(codes.red),
    green: paint(codes.green),
    yellow: paint(codes.yellow),
    dim: paint(codes.dim),
    bold: paint(codes.bold),
  };
}

/** NO_COLOR wins, then FORCE_COLOR, then whether the stream is a terminal. */
export function wantsColour(
  stream: { readonly isTTY?: boolean | undefined },
  env: Readonly<Record<string, string | undefined>> = process.env,
): boolean {
  if (env['NO_COLOR']) return false;
  const force = env['FORCE_COLOR'];
  if (force !== undefined) return force !== '0' && force !== 'false';
  return stream.isTTY === true && env['TERM'] !== 'dumb';
}
