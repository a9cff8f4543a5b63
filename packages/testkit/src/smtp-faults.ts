/** Where a fault strikes, in the order of an SMTP conversation. */
export type FaultPhase =
  | 'connect'
  | 'greeting'
  | 'ehlo'
  | 'mail'
  | 'rcpt'
  | 'data'
  | 'body'
  | 'dot-before-accept'
  | 'dot-after-accept';

/**
 * What happens there.
 *
 * - `close`: an orderly FIN. `reset`: a RST.
 * - `hang`: the socket stays open and nothing is ever said again.
 * - `4xx`, `5xx`: a complete refusal.
 * - `half-reply`: the start of a reply without its line end, then FIN.
 * - `garbage`: a line that is not SMTP; the connection stays open. The command has no other effect.
 */
export type FaultKind = 'close' | 'reset' | 'hang' | '4xx' | '5xx' | 'half-reply' | 'garbage';

export interface Fault {
  at: FaultPhase;
  how: FaultKind;
  /**
   * How often it strikes after one `setFault`; `Infinity` is allowed. A fault given by a function
   * strikes each time the function returns it, and `times` is not read.
   *
   * @default 1
   */
  times?: number;
  /**
   * For `body`: how many body bytes to read first. A body that is shorter is accepted as usual.
   *
   * @default 0 (strikes on the first byte)
   */
  afterBytes?: number;
  /**
   * The bytes to write instead of the built-in ones; a line end is added except for `half-reply`.
   */
  text?: string;
}

export interface NamedFault {
  name: string;
  fault: Fault;
  /** Whether the server holds the email after a client met this fault once. */
  accepted: boolean;
}

/** The fault decided for one connection and one message, see `setFault`. */
export type FaultPlan = (connection: number, messageIndex: number) => Fault | undefined;

const everyKind: FaultKind[] = ['close', 'reset', 'hang', '4xx', '5xx', 'half-reply', 'garbage'];
// Before the greeting the server has said nothing, so there is nothing to answer wrongly.
const silentKinds: FaultKind[] = ['close', 'reset', 'hang'];
// A refusal by a server that keeps the email is a lie, which no client can survive: not in the
// table, though `setFault` accepts it.
const honestKinds: FaultKind[] = ['close', 'reset', 'hang', 'half-reply', 'garbage'];

const kindsAt: [FaultPhase, FaultKind[]][] = [
  ['connect', silentKinds],
  ['greeting', everyKind],
  ['ehlo', everyKind],
  ['mail', everyKind],
  ['rcpt', everyKind],
  ['data', everyKind],
  ['body', everyKind],
  ['dot-before-accept', everyKind],
  ['dot-after-accept', honestKinds],
];

// Looks like a temporary refusal to a client that does not insist on the line end.
const misleading: NamedFault = {
  name: 'dot-after-accept half-reply 451',
  fault: { at: 'dot-after-accept', how: 'half-reply', text: '451' },
  accepted: true,
};

/** Every sensible phase x kind, 58 in all; each strikes once. */
export const smtpFaults: readonly NamedFault[] = [
  ...kindsAt.flatMap(([at, kinds]) =>
    kinds.map((how) => ({
      name: `${at} ${how}`,
      fault: { at, how },
      accepted: at === 'dot-after-accept',
    })),
  ),
  misleading,
];

const completeReply: Record<FaultPhase, string> = {
  connect: '',
  greeting: '220 ',
  ehlo: '250-',
  mail: '250 ',
  rcpt: '250 ',
  data: '354 ',
  body: '250 ',
  'dot-before-accept': '250 ',
  'dot-after-accept': '250 ',
};

/** The bytes a fault writes; empty for those that say nothing. */
export function faultText(fault: Fault): string {
  const lineEnd = fault.how === 'half-reply' ? '' : '\r\n';
  if (fault.text !== undefined) return fault.text + lineEnd;
  switch (fault.how) {
    case 'close':
    case 'reset':
    case 'hang':
      return '';
    case '4xx':
      return `${fault.at === 'greeting' ? 421 : 451} 4.3.0 refused for now by the fault server\r\n`;
    case '5xx':
      return `${fault.at === 'greeting' ? 554 : 550} 5.7.1 refused by the fault server\r\n`;
    case 'half-reply':
      // EHLO gets a whole first line, so that the client waits for a second one.
      return fault.at === 'ehlo' ? '250-half.test' : completeReply[fault.at].slice(0, 2);
    case 'garbage':
      return 'lorem ipsum\r\n';
  }
}
