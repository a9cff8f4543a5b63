/** One email for which the server took responsibility. */
export interface ReceivedEmail {
  /** The Message-ID header with its angle brackets, or ''. */
  messageId: string;
  /** The Date header as written, or ''. */
  date: string;
  /** The envelope sender. */
  from: string;
  /** The accepted envelope recipients. */
  to: string[];
  /** Unfolded headers by lower-case name; a repeated header has its values joined by a newline. */
  headers: Readonly<Record<string, string>>;
  /** Headers and body after dot-unstuffing; one character per byte (latin1). */
  raw: string;
  /** `Date.now()` of the moment of acceptance. */
  atMs: number;
  /**
   * Whether the whole 250 was handed to the socket. Set later than `received` when it is delayed.
   */
  acknowledged: boolean;
}

/** The headers of a message, see `ReceivedEmail.headers`. */
export function parseHeaders(raw: string): Record<string, string> {
  const end = raw.indexOf('\r\n\r\n');
  const head = (end === -1 ? raw : raw.slice(0, end)).replace(/\r\n(?=[ \t])/g, '');
  const headers: Record<string, string> = {};
  for (const line of head.split('\r\n')) {
    const colon = line.indexOf(':');
    if (colon < 1) continue;
    const name = line.slice(0, colon).trim().toLowerCase();
    const value = line.slice(colon + 1).trim();
    const earlier = headers[name];
    headers[name] = earlier === undefined ? value : `${earlier}\n${value}`;
  }
  return headers;
}

/** A received email from its envelope and the bytes between DATA and the final dot. */
export function parseEmail(envelope: { from: string; to: string[] }, body: Buffer): ReceivedEmail {
  // RFC 5321, 4.5.2: the client doubled each dot that opens a line.
  const raw = body.toString('latin1').replace(/(^|\r\n)\.\./g, '$1.');
  const headers = parseHeaders(raw);
  return {
    messageId: headers['message-id'] ?? '',
    date: headers['date'] ?? '',
    from: envelope.from,
    to: [...envelope.to],
    headers,
    raw,
    atMs: Date.now(),
    acknowledged: false,
  };
}
