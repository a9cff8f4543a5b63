import type { Socket } from 'node:net';
import { type ReceivedEmail, parseEmail } from './smtp-email.ts';
import type { Fault, FaultPhase } from './smtp-faults.ts';
import { SmtpWire } from './smtp-wire.ts';

/** What one connection needs from its server. */
export interface SessionHost {
  takeFault: (phase: FaultPhase) => Fault | undefined;
  /** Called at each MAIL after the first, so that a fault plan can count messages. */
  nextMessage: () => void;
  rejectRecipient: (address: string) => number | undefined;
  accept: (email: ReceivedEmail) => void;
  ackDelayMs: number;
  pipelining: boolean;
  /** See `SmtpServerOptions.lmtp`. */
  lmtp: ((address: string) => string | undefined) | undefined;
}

const END_OF_DATA = '\r\n.\r\n';
/**
 * Long enough for the client to see an open connection, so that `greeting` differs from `connect`.
 */
const GREETING_FAULT_DELAY_MS = 20;

/** Speaks SMTP on one socket until it closes. */
export function runSmtpSession(socket: Socket, host: SessionHost): void {
  const session = new SmtpSession(socket, host);
  socket.on('data', (chunk: Buffer) => session.receive(chunk));
  // A client that dies is part of the test; 'close' always follows.
  socket.on('error', () => {});
  session.greet(socket);
}

/**
 * One conversation. Bytes are collected in `input` and processed line by line, so that it does not
 * matter how the client cuts them into segments: nodemailer 10 sends MAIL, RCPT and DATA in one.
 */
class SmtpSession {
  private readonly host: SessionHost;
  private readonly wire: SmtpWire;
  private input: Buffer = Buffer.alloc(0);
  private mode: 'command' | 'auth' | 'data' | 'waiting' = 'command';
  private authLines = 0;
  private mails = 0;
  private envelope: { from: string; to: string[] } | undefined;
  private helloFault: Fault | undefined;
  private bodyFault: Fault | undefined;
  private discardsBody = false;

  constructor(socket: Socket, host: SessionHost) {
    this.host = host;
    this.wire = new SmtpWire(socket, host.takeFault);
  }

  greet(socket: Socket): void {
    if (this.wire.strikesAt('connect')) return;
    const fault = this.host.takeFault('greeting');
    if (!fault) return this.wire.reply('220 testkit ESMTP');
    this.mode = 'waiting';
    setTimeout(() => {
      // Only garbage is followed by a conversation.
      this.mode = 'command';
      if (!socket.destroyed) this.wire.strike(fault);
      this.process();
    }, GREETING_FAULT_DELAY_MS);
  }

  receive(chunk: Buffer): void {
    this.input = Buffer.concat([this.input, chunk]);
    this.process();
  }

  /** Processes what has arrived, as far as it is complete. */
  private process(): void {
    while (this.mode !== 'waiting') {
      if (this.wire.isDeaf) {
        this.input = Buffer.alloc(0);
        return;
      }
      if (!(this.mode === 'data' ? this.readBody() : this.readLine())) return;
    }
  }

  /** Handles one line; false when none is complete. */
  private readLine(): boolean {
    const end = this.input.indexOf('\r\n');
    if (end === -1) return false;
    const line = this.input.toString('latin1', 0, end);
    this.input = this.input.subarray(end + 2);
    if (this.mode === 'auth') this.continueAuth();
    else this.execute(line);
    return true;
  }

  private execute(line: string): void {
    const [verb = '', ...rest] = line.split(' ');
    const argument = rest.join(' ');
    switch (verb.toUpperCase()) {
      case 'EHLO':
      case 'LHLO':
        return this.hello(() => this.extendedHello(argument));
      case 'HELO':
        return this.hello(() => '250 testkit');
      case 'AUTH':
        return this.auth(argument);
      case 'MAIL':
        return this.mail(argument);
      case 'RCPT':
        return this.recipient(argument);
      case 'DATA':
        return this.data();
      case 'RSET':
        this.envelope = undefined;
        return this.wire.reply('250 2.0.0 reset');
      case 'NOOP':
        return this.wire.reply('250 2.0.0 ok');
      case 'QUIT':
        this.wire.reply('221 2.0.0 bye');
        return this.wire.hangUp();
      default:
        return this.wire.reply('502 5.5.2 unknown command');
    }
  }

  private hello(answer: () => string): void {
    this.envelope = undefined;
    // One refusal covers the connection: clients answer a refused EHLO with HELO.
    this.helloFault ??= this.host.takeFault('ehlo');
    if (this.helloFault) this.wire.strike(this.helloFault);
    else this.wire.reply(answer());
  }

  private extendedHello(argument: string): string {
    const extensions = ['8BITMIME', 'SIZE 10485760', 'AUTH PLAIN LOGIN'];
    if (this.host.pipelining) extensions.unshift('PIPELINING');
    const lines = [`testkit greets ${argument || 'you'}`, ...extensions];
    return lines.map((line, i) => `250${i === lines.length - 1 ? ' ' : '-'}${line}`).join('\r\n');
  }

  private auth(argument: string): void {
    const [method = '', initial] = argument.split(' ');
    // PLAIN has one line of credentials, LOGIN two; the first may come with the command.
    this.authLines = (method.toUpperCase() === 'LOGIN' ? 2 : 1) - (initial ? 1 : 0);
    this.continueAuth();
  }

  private continueAuth(): void {
    if (this.authLines > 0) {
      this.authLines--;
      this.mode = 'auth';
      // "VXNlcm5hbWU6" is "Username:"; clients of LOGIN count the questions rather than read them.
      this.wire.reply(this.authLines === 1 ? '334 VXNlcm5hbWU6' : '334 UGFzc3dvcmQ6');
    } else {
      this.mode = 'command';
      this.wire.reply('235 2.7.0 accepted');
    }
  }

  private mail(argument: string): void {
    if (this.mails++ > 0) this.host.nextMessage();
    if (this.wire.strikesAt('mail')) return;
    if (this.envelope) return this.wire.reply('503 5.5.1 nested MAIL');
    this.envelope = { from: addressIn(argument), to: [] };
    this.wire.reply('250 2.1.0 sender ok');
  }

  private recipient(argument: string): void {
    if (this.wire.strikesAt('rcpt')) return;
    if (!this.envelope) return this.wire.reply('503 5.5.1 MAIL first');
    const address = addressIn(argument);
    const code = this.host.rejectRecipient(address);
    if (code !== undefined) {
      return this.wire.reply(`${code} ${Math.floor(code / 100)}.1.1 <${address}> refused`);
    }
    this.envelope.to.push(address);
    this.wire.reply('250 2.1.5 recipient ok');
  }

  private data(): void {
    if (!this.envelope || this.envelope.to.length === 0) {
      return this.wire.reply('503 5.5.1 no valid recipients');
    }
    if (this.wire.strikesAt('data')) return;
    this.bodyFault = this.host.takeFault('body');
    this.discardsBody = false;
    this.mode = 'data';
    // With this the final dot of an empty body is found like any other.
    this.input = Buffer.concat([Buffer.from('\r\n'), this.input]);
    this.wire.reply('354 end with <CRLF>.<CRLF>');
  }

  /** Handles the body so far; true when the final dot was there. */
  private readBody(): boolean {
    const end = this.input.indexOf(END_OF_DATA);
    this.strikeInBody(Math.max(0, (end === -1 ? this.input.length : end) - 2));
    if (end === -1 || this.wire.isDeaf) return false;
    const body = this.input.subarray(2, Math.max(2, end + 2));
    this.input = this.input.subarray(end + END_OF_DATA.length);
    this.finishMessage(body);
    return true;
  }

  private strikeInBody(bodyBytes: number): void {
    const fault = this.bodyFault;
    if (!fault || bodyBytes < Math.max(1, fault.afterBytes ?? 0)) return;
    this.bodyFault = undefined;
    this.discardsBody = true;
    this.wire.strike(fault);
  }

  private finishMessage(body: Buffer): void {
    const envelope = this.envelope ?? { from: '', to: [] };
    this.envelope = undefined;
    this.mode = 'command';
    // The client ignored a garbage line in its body.
    if (this.discardsBody) return this.wire.reply('451 4.3.0 message discarded');
    if (this.wire.strikesAt('dot-before-accept')) return;
    if (this.host.lmtp) return this.finishLmtp(envelope, body, this.host.lmtp);
    const email = parseEmail(envelope, body);
    this.host.accept(email);
    if (this.wire.strikesAt('dot-after-accept')) return;
    this.acknowledge(email);
  }

  /** RFC 2033, 4.2: one reply for each recipient that RCPT accepted, in that order. */
  private finishLmtp(
    { from, to }: { from: string; to: string[] },
    body: Buffer,
    replyFor: (address: string) => string | undefined,
  ): void {
    for (const address of to) {
      const reply = replyFor(address);
      if (reply === 'close') return this.wire.hangUp();
      if (reply === undefined) this.host.accept(parseEmail({ from, to: [address] }, body));
      this.wire.reply(reply ?? '250 2.0.0 delivered');
    }
  }

  private acknowledge(email: ReceivedEmail): void {
    const { ackDelayMs } = this.host;
    const reply = () =>
      this.wire.reply('250 2.0.0 accepted', () => void (email.acknowledged = true));
    if (ackDelayMs === 0) return reply();
    this.mode = 'waiting';
    setTimeout(() => {
      this.mode = 'command';
      reply();
      this.process();
    }, ackDelayMs).unref();
  }
}

/** `FROM:<a@b> SIZE=1` gives `a@b`. */
function addressIn(argument: string): string {
  return /<([^>]*)>/.exec(argument)?.[1] ?? '';
}
