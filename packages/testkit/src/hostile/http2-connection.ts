import type { Chooser } from './choose.ts';
import { requestParts, type RequestParts } from './request-parts.ts';

const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
const [DATA, HEADERS, SETTINGS] = [0, 1, 4];
const [END_STREAM, END_HEADERS] = [1, 4];

/**
 * The bytes of a connection of HTTP/2 with a few hostile requests in frames that are well formed.
 * Damaged frames end Node 20.20.2 in its own code (`current_nghttp2_memory_`), also under Fastify
 * alone, so they would test Node.
 */
export function http2Connection(
  path: string,
  admitted: RequestParts['headers'],
  chooser: Chooser,
): Buffer {
  const requests = Array.from({ length: 1 + chooser.below(4) }, (_, index) =>
    formatHttp2Request(requestParts(path, admitted, chooser), 1 + 2 * index),
  );
  return formatHttp2Connection(requests);
}

export function formatHttp2Connection(frames: readonly Buffer[]): Buffer {
  return Buffer.concat([PREFACE, formatFrame(SETTINGS, 0, 0, Buffer.alloc(0)), ...frames]);
}

/** HTTP/2 has no Host, and its names are lower case. */
export function formatHttp2Request(
  { method, target, host, headers, body }: RequestParts,
  stream: number,
): Buffer {
  const fields: readonly (readonly [string, string])[] = [
    [':method', method],
    [':path', target],
    [':scheme', 'http'],
    ...(host === undefined ? [] : [[':authority', host] as const]),
    ...headers,
  ];
  const block = Buffer.concat(fields.map(([name, value]) => formatField(name, value)));
  const flags = END_HEADERS | (body === '' ? END_STREAM : 0);
  const head = formatFrame(HEADERS, flags, stream, block);
  if (body === '') return head;
  return Buffer.concat([head, formatFrame(DATA, END_STREAM, stream, Buffer.from(body, 'latin1'))]);
}

function formatFrame(type: number, flags: number, stream: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** A literal field that is not indexed (RFC 7541, 6.2.2), without Huffman. */
function formatField(name: string, value: string): Buffer {
  return Buffer.concat([Buffer.from([0]), formatText(name), formatText(value)]);
}

function formatText(text: string): Buffer {
  const bytes = Buffer.from(text, 'latin1');
  return Buffer.concat([formatLength(bytes.length), bytes]);
}

/** An integer with a prefix of 7 bits (RFC 7541, 5.1). */
function formatLength(length: number): Buffer {
  if (length < 127) return Buffer.from([length]);
  const bytes = [127];
  let rest = length - 127;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128);
  return Buffer.from([...bytes, rest]);
}
