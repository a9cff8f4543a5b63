import type { Chooser } from './choose.ts';

const methods = [
  'GET',
  'POST',
  'HEAD',
  'PUT',
  'DELETE',
  'OPTIONS',
  'TRACE',
  'CONNECT',
  'PATCH',
  'QUERY',
  'get',
  'Get',
  'head',
  'post',
  'trace',
  'connect',
  'track',
  'PRI',
  'M-SEARCH',
  '',
  ' ',
  'G T',
  'GET\0',
  '"',
  '__proto__',
  'A'.repeat(5e3),
  'é',
  ':method',
];

/** `path` is a path that exists. */
function targets(path: string): string[] {
  return [
    '/',
    '//',
    '///',
    '//x',
    '//evil.example/',
    '/\\evil.example',
    '\\',
    '*',
    '',
    '?',
    '#',
    '/?',
    'http://evil.example/',
    'http://',
    'https://[',
    'file:///etc/passwd',
    'javascript:1',
    '/%',
    '/%00',
    '/%2e%2e/%2e%2e',
    '/..//..//',
    '/.//evil.example',
    '/a b',
    '/\u00e9',
    '/;',
    '/@',
    '//[',
    '//:80',
    '//a:b@c/',
    '//\\\\',
    '/[',
    '/?key=x',
    '//?key=x',
    '/.//x?key=x',
    path,
    `${path}/`,
    `${path}//`,
    `/${path}`,
    `${path}?days=7`,
    `${path}/?days=1e999`,
    `${path}/find?q=%`,
    `${path}/find?q=%ff%fe`,
    `${path}/find?q=[[[[[`,
    `${path}/find?q=__proto__`,
    `${path}/find?q=${'x'.repeat(400)}`,
    `${path}/find?q=%7B%22toString%22%3A1%7D`,
    `${path}/email/x`,
    `${path}/email/${'A'.repeat(22)}`,
    `${path}/email/${'A'.repeat(22)}/resolve`,
    `${path}/events?email=x`,
    `${path}/style.css`,
    `${path}/${'../'.repeat(50)}`,
    `/${'a'.repeat(9000)}`,
  ];
}

const hosts = [
  'localhost',
  '127.0.0.1',
  '[::1]',
  'LOCALHOST:80',
  'localhost:99999',
  'localhost:',
  '',
  'evil.example',
  '[',
  ']',
  '[::',
  'a b',
  'a@b',
  'a/b',
  'ÿ',
  '%',
  ':',
  '..',
  '127.1',
  '0x7f.1',
  'xn--',
  'localhost, evil.example',
  '\\',
  '#',
  '?',
  'a'.repeat(300),
  '1.2.3.4.5',
];

const headers: readonly (readonly [string, string])[] = [
  ['content-length', '5'],
  ['content-length', '-1'],
  ['content-length', '99999999999999999999'],
  ['content-length', 'x'],
  ['transfer-encoding', 'chunked'],
  ['transfer-encoding', 'chunked, chunked'],
  ['transfer-encoding', 'gzip'],
  ['content-type', 'application/x-www-form-urlencoded'],
  ['content-type', 'multipart/form-data; boundary='],
  ['content-type', '\u00ff'],
  ['connection', 'upgrade'],
  ['connection', 'close, keep-alive'],
  ['upgrade', 'websocket'],
  ['upgrade', 'h2c'],
  ['expect', '100-continue'],
  ['expect', 'x'],
  ['origin', 'null'],
  ['origin', '://'],
  ['sec-fetch-site', 'same-origin'],
  ['sec-fetch-site', ''],
  ['cookie', '=;=;;;'],
  ['cookie', `a=${'b'.repeat(8000)}`],
  ['x-forwarded-for', '\u0080\u00ff'],
  ['__proto__', 'x'],
  ['constructor', 'x'],
  ['te', 'trailers'],
  ['x-user', '\u00e9'],
  ['if-none-match', '*'],
  ['range', 'bytes=0-0,-1'],
];

const bodies = ['', 'a=b', 'verdict=sent&token=x&csrf=x', '0\r\n\r\n', 'ffffffffffffffff\r\n', '{'];

export interface RequestParts {
  readonly method: string;
  readonly target: string;
  /** Undefined: the request has none. */
  readonly host: string | undefined;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: string;
}

/**
 * A request of which some parts are hostile and some are as a browser has them, so that it comes
 * past the first check.
 */
export function requestParts(
  path: string,
  admitted: RequestParts['headers'],
  chooser: Chooser,
): RequestParts {
  const { oneOf, chance, below } = chooser;
  return {
    method: chance(0.4) ? 'GET' : oneOf(methods),
    target: chance(0.2) ? path : oneOf(targets(path)),
    host: chance(0.5) ? '127.0.0.1' : chance(0.1) ? undefined : oneOf(hosts),
    headers: [
      ...(chance(0.7) ? admitted : []),
      ...Array.from({ length: below(4) }, () => oneOf(headers)),
    ],
    body: chance(0.5) ? '' : oneOf(bodies),
  };
}
