import { connect } from 'node:net';

export interface SendBytesOptions {
  /** Whether what has come back is an answer. Then the connection is closed. */
  readonly isAnswer: (bytes: Buffer) => boolean;
  /** After this time without a byte there is no answer. */
  readonly silentMs: number;
}

/**
 * Sends bytes, and reads until there is an answer, the server closes the connection, or it is
 * silent. Never rejects: a connection that is refused or reset has no answer.
 *
 * @returns whether there was an answer
 */
export function sendBytes(
  port: number,
  bytes: Buffer,
  { isAnswer, silentMs }: SendBytesOptions,
): Promise<boolean> {
  return new Promise((resolve) => {
    let received = Buffer.alloc(0);
    const socket = connect({ port, host: '127.0.0.1' });
    socket.setTimeout(silentMs, () => socket.destroy());
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      if (isAnswer(received)) socket.destroy();
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve(isAnswer(received)));
    socket.write(bytes);
  });
}

export function isHttp1Answer(bytes: Buffer): boolean {
  return bytes.toString('latin1', 0, 9) === 'HTTP/1.1 ';
}

/** Whether there are headers, or an error of a stream or of the connection. */
export function isHttp2Answer(bytes: Buffer): boolean {
  const [HEADERS, RST_STREAM, GOAWAY] = [1, 3, 7];
  for (let at = 0; at + 9 <= bytes.length; at += 9 + bytes.readUIntBE(at, 3)) {
    if ([HEADERS, RST_STREAM, GOAWAY].includes(bytes.readUInt8(at + 3))) return true;
  }
  return false;
}
