import { type Socket, createServer } from 'node:net';
import type { ReceivedEmail } from './smtp-email.ts';
import type { Fault, FaultPhase, FaultPlan } from './smtp-faults.ts';
import { type SessionHost, runSmtpSession } from './smtp-session.ts';
import { closeServer, listen } from './sockets.ts';

export interface SmtpServerOptions {
  /** @default '127.0.0.1' */
  host?: string;
  /** @default 0 (a free port) */
  port?: number;
  /**
   * Milliseconds between the final dot (the email is already in `received`) and its 250.
   *
   * @default 0
   */
  ackDelayMs?: number;
  /** A reply code refuses the recipient, such as 550 or 450. @default accepts all */
  rejectRecipients?: (address: string) => number | undefined;
  /**
   * Speaks LMTP instead of SMTP: after the dot it replies for each recipient with what this
   * returns, such as `552 5.2.2 full`. `close` closes the connection, undefined accepts.
   */
  lmtp?: (address: string) => string | undefined;
  /** Whether EHLO offers PIPELINING. @default true */
  pipelining?: boolean;
}

export interface SmtpServer {
  host: string;
  port: number;
  /** `smtp://host:port` */
  url: string;
  /**
   * What the server is responsible for, in order of acceptance, acknowledged or not. Clear it with
   * `length = 0`.
   */
  received: ReceivedEmail[];
  /** Connections accepted so far. */
  readonly connections: number;
  /** Connections open now. */
  readonly openConnections: number;
  /**
   * Sets what goes wrong from now on, for open connections too; `undefined` ends it. A function is
   * asked once per message of a connection, with the connection's number and the message's, both
   * from 0.
   */
  setFault: (fault: Fault | FaultPlan | undefined) => void;
  /** Calls the listener at each acceptance, before any reply. Returns a function that stops it. */
  onEmail: (listener: (email: ReceivedEmail) => void) => () => void;
  /** Destroys every connection and stops listening. May be called twice. */
  close: () => Promise<void>;
}

/**
 * Starts an SMTP server that can fail at every phase of a conversation.
 *
 * It is written on raw sockets so that every byte, and every missing one, is under the test's
 * control. It accepts every sender, recipient and password.
 *
 * @example
 * const smtp = await startSmtpServer()
 * smtp.setFault({ at: 'dot-after-accept', how: 'reset' })
 * // the next sendMail() fails, and yet smtp.received has the email
 */
export async function startSmtpServer(options: SmtpServerOptions = {}): Promise<SmtpServer> {
  const {
    host = '127.0.0.1',
    port = 0,
    ackDelayMs = 0,
    pipelining = true,
    rejectRecipients,
    lmtp,
  } = options;
  const received: ReceivedEmail[] = [];
  const listeners = new Set<(email: ReceivedEmail) => void>();
  const sockets = new Set<Socket>();
  const faults = faultBook();
  let connections = 0;

  const accept = (email: ReceivedEmail) => {
    received.push(email);
    for (const listener of listeners) listener(email);
  };

  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.setNoDelay(true);
    runSmtpSession(socket, {
      ...faults.forConnection(connections++),
      rejectRecipient: (address) => rejectRecipients?.(address),
      accept,
      ackDelayMs,
      pipelining,
      lmtp,
    });
  });
  const listening = await listen(server, host, port);

  return {
    host,
    port: listening,
    url: `smtp://${host}:${listening}`,
    received,
    get connections() {
      return connections;
    },
    get openConnections() {
      return sockets.size;
    },
    setFault: faults.set,
    onEmail: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    close: () => closeServer(server, sockets),
  };
}

/** Holds the current fault, and how often it may still strike. */
function faultBook() {
  let current: Fault | FaultPlan | undefined;
  let left = 0;
  let generation = 0;

  const set = (fault: Fault | FaultPlan | undefined) => {
    current = fault;
    left = typeof fault === 'object' ? (fault.times ?? 1) : 0;
    generation++;
  };

  const forConnection = (connection: number): Pick<SessionHost, 'takeFault' | 'nextMessage'> => {
    let messageIndex = 0;
    // A plan may be random: its answer holds for all phases of one message, until the next
    // setFault.
    let planned: { key: string; fault: Fault | undefined } | undefined;

    const fromPlan = (plan: FaultPlan) => {
      const key = `${generation}:${messageIndex}`;
      if (planned?.key !== key) planned = { key, fault: plan(connection, messageIndex) };
      return planned.fault;
    };

    const takeFault = (phase: FaultPhase) => {
      if (typeof current === 'function') {
        const fault = fromPlan(current);
        return fault?.at === phase ? fault : undefined;
      }
      if (current?.at !== phase || left <= 0) return undefined;
      left--;
      return current;
    };
    return { takeFault, nextMessage: () => void messageIndex++ };
  };
  return { set, forConnection };
}
