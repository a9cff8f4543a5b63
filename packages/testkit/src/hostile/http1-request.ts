import { type Chooser, damage } from './choose.ts';
import { requestParts, type RequestParts } from './request-parts.ts';

/** The bytes of a hostile request of HTTP/1. */
export function http1Request(
  path: string,
  admitted: RequestParts['headers'],
  chooser: Chooser,
): Buffer {
  const { oneOf, chance, below, bytes } = chooser;
  if (chance(0.03)) return bytes(1 + below(200));
  const parts = requestParts(path, admitted, chooser);
  const version = chance(0.9) ? 'HTTP/1.1' : oneOf(['HTTP/1.0', 'HTTP/0.9', 'HTTP/2.0', 'X', '']);
  const message = formatHttp1Request(parts, version);
  return chance(0.15) ? damage(message, chooser) : message;
}

export function formatHttp1Request(
  { method, target, host, headers, body }: RequestParts,
  version = 'HTTP/1.1',
): Buffer {
  const lines = [
    `${method} ${target} ${version}`,
    ...(host === undefined ? [] : [`host: ${host}`]),
    ...headers.map(([name, value]) => `${name}: ${value}`),
  ];
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n${body}`, 'latin1');
}
