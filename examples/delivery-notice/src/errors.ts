/** The order cannot become an email. Says which field, never its value. */
export class NoticeRefused extends Error {
  override readonly name = 'NoticeRefused';
  readonly field: string;

  constructor(field: string, message: string) {
    super(message);
    this.field = field;
  }
}

/** Redis did not answer. The message says what is known of the notice all the same. */
export class Unavailable extends Error {
  override readonly name = 'Unavailable';
}

/**
 * A process cannot start. The message is all that a person needs: it is printed without a stack.
 */
export class StartError extends Error {
  override readonly name = 'StartError';
}

/** A request must end before its caller gives up. */
const DEADLINE_MS = 5_000;

/**
 * Does what needs Redis: the store, the queue, the ledger.
 * @throws {Unavailable} with this message, when it fails or takes too long.
 */
export async function withRedis<T>(message: string, work: () => Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error('deadline')), DEADLINE_MS);
  });
  try {
    return await Promise.race([work(), late]);
  } catch (cause) {
    if (cause instanceof NoticeRefused) throw cause;
    throw new Unavailable(message, { cause });
  } finally {
    clearTimeout(timer);
  }
}

/**
 * An error for a log: its name, its code and where it was thrown. Its message, its cause and its
 * other fields may hold an address: ioredis adds the command, nodemailer the server's reply.
 */
export function forLog(error: unknown): string {
  if (!(error instanceof Error)) return typeof error;
  const { name, code } = error as { name: string; code?: unknown };
  const frames = (error.stack ?? '').split('\n').filter((row) => /^\s+at /.test(row));
  const cause = error.cause === undefined ? '' : `, because of ${nameOf(error.cause)}`;
  const codeNote = typeof code === 'string' ? ` (${code})` : '';
  return `${name}${codeNote}${cause}\n${frames.slice(0, 5).join('\n')}`;
}

function nameOf(cause: unknown): string {
  return cause instanceof Error ? cause.name : typeof cause;
}
