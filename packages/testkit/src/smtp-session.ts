import type { Socket } from 'node:net';
import { type ReceivedEmail, parseEmail } from './smtp-email.ts';
import { type Fault, type FaultPhase, faultText } from './smtp-faults.ts';

/** What one connection needs from its server. */
export interface SessionHost {
  takeFault: (phase: FaultPhase) => Fault | undefined;
  /** Called at each MAIL after the first, so that a fault plan can count messages. */
  nextMessage: () => void;
  rejectRecipient: (address: string) => number | undefined;
  accept: (email: ReceivedEmail) => void;
  ackDelayMs: number;
  pipelining: boolean;
}

const endOfData = '\r\n.\r\n';
// Long enough for the client to see an open connection, so that `greeting` differs from `connect`.
const greetingFaultDelayMs = 20;

/**
 * Speaks SMTP on one socket until it closes.
 *
 * Bytes are gathered in `input` and worked off line by line, so that it does not matter how the client
 * cuts them into segments: nodemailer 10 sends MAIL, RCPT and DATA in one.
 */
export function runSmtpSession(socket: Socket, host: SessionHost): void {
  let input: Buffer = Buffer.alloc(0);
  let mode: 'command' | 'auth' | 'data' | 'waiting' | 'deaf' = 'command';
  let authLines = 0;
  let mails = 0;
  let envelope: { from: string; to: string[] } | undefined;
  let helloFault: Fault | undefined;
  let bodyFault: Fault | undefined;
  let discardBody = false;

  const reply = (line: string, written?: () => void) => {
    if (!socket.writable) return;
    socket.write(`${line}\r\n`, (error) => {
      if (!error) written?.();
    });
    if (line.startsWith('421')) hangUp();
  };

  const hangUp = () => {
    mode = 'deaf';
    socket.end();
  };

  const strike = (fault: Fault) => {
    const text = faultText(fault);
    if (text !== '' && socket.writable) socket.write(text);
    const refused = fault.how === '4xx' || fault.how === '5xx';
    if (fault.how === 'reset') {
      mode = 'deaf';
      socket.resetAndDestroy();
    } else if (fault.how === 'hang') {
      mode = 'deaf';
    } else if (fault.how === 'close' || fault.how === 'half-reply' || text.startsWith('421')) {
      hangUp();
    } else if (refused && (fault.at === 'greeting' || fault.at === 'body')) {
      hangUp();
    }
  };

  /** True when a fault struck in place of the usual answer. */
  const faulty = (phase: FaultPhase) => {
    const fault = host.takeFault(phase);
    if (fault) strike(fault);
    return fault !== undefined;
  };

  const hello = (argument: string, extended: boolean) => {
    envelope = undefined;
    // One refusal covers the connection: clients answer a refused EHLO with HELO.
    helloFault ??= host.takeFault('ehlo');
    if (helloFault) return strike(helloFault);
    if (!extended) return reply('250 testkit');
    const extensions = ['8BITMIME', 'SIZE 10485760', 'AUTH PLAIN LOGIN'];
    if (host.pipelining) extensions.unshift('PIPELINING');
    const lines = [`testkit greets ${argument || 'you'}`, ...extensions];
    return reply(
      lines.map((line, i) => `250${i === lines.length - 1 ? ' ' : '-'}${line}`).join('\r\n'),
    );
  };

  const auth = (argument: string) => {
    const [method = '', initial] = argument.split(' ');
    // PLAIN has one line of credentials, LOGIN two; the first may come with the command.
    authLines = (method.toUpperCase() === 'LOGIN' ? 2 : 1) - (initial ? 1 : 0);
    continueAuth();
  };

  const continueAuth = () => {
    if (authLines > 0) {
      authLines--;
      mode = 'auth';
      // "VXNlcm5hbWU6" is "Username:"; clients of LOGIN count the questions rather than read them.
      reply(authLines === 1 ? '334 VXNlcm5hbWU6' : '334 UGFzc3dvcmQ6');
    } else {
      mode = 'command';
      reply('235 2.7.0 accepted');
    }
  };

  const mail = (argument: string) => {
    if (mails++ > 0) host.nextMessage();
    if (faulty('mail')) return;
    if (envelope) return reply('503 5.5.1 nested MAIL');
    envelope = { from: addressIn(argument), to: [] };
    reply('250 2.1.0 sender ok');
  };

  const recipient = (argument: string) => {
    if (faulty('rcpt')) return;
    if (!envelope) return reply('503 5.5.1 MAIL first');
    const address = addressIn(argument);
    const code = host.rejectRecipient(address);
    if (code !== undefined)
      return reply(`${code} ${Math.floor(code / 100)}.1.1 <${address}> refused`);
    envelope.to.push(address);
    reply('250 2.1.5 recipient ok');
  };

  const data = () => {
    if (!envelope || envelope.to.length === 0) return reply('503 5.5.1 no valid recipients');
    if (faulty('data')) return;
    bodyFault = host.takeFault('body');
    discardBody = false;
    mode = 'data';
    // With this the final dot of an empty body is found like any other.
    input = Buffer.concat([Buffer.from('\r\n'), input]);
    reply('354 end with <CRLF>.<CRLF>');
  };

  /** Handles the body so far; true when the final dot was there. */
  const readBody = () => {
    const end = input.indexOf(endOfData);
    const bodyBytes = Math.max(0, (end === -1 ? input.length : end) - 2);
    if (bodyFault && bodyBytes >= Math.max(1, bodyFault.afterBytes ?? 0)) {
      const fault = bodyFault;
      bodyFault = undefined;
      discardBody = true;
      strike(fault);
    }
    if (end === -1 || mode !== 'data') return false;
    const body = input.subarray(2, Math.max(2, end + 2));
    input = input.subarray(end + endOfData.length);
    finishMessage(body);
    return true;
  };

  const finishMessage = (body: Buffer) => {
    const finished = envelope ?? { from: '', to: [] };
    envelope = undefined;
    mode = 'command';
    // The client that ignored a garbage line in its body is told the truth.
    if (discardBody) return reply('451 4.3.0 message discarded');
    if (faulty('dot-before-accept')) return;
    const email = parseEmail(finished, body);
    host.accept(email);
    if (faulty('dot-after-accept')) return;
    const acknowledge = () => reply('250 2.0.0 accepted', () => void (email.acknowledged = true));
    if (host.ackDelayMs === 0) return acknowledge();
    mode = 'waiting';
    setTimeout(() => {
      mode = 'command';
      acknowledge();
      work();
    }, host.ackDelayMs).unref();
  };

  const command = (line: string) => {
    const [verb = '', ...rest] = line.split(' ');
    const argument = rest.join(' ');
    switch (verb.toUpperCase()) {
      case 'EHLO':
        return hello(argument, true);
      case 'HELO':
        return hello(argument, false);
      case 'AUTH':
        return auth(argument);
      case 'MAIL':
        return mail(argument);
      case 'RCPT':
        return recipient(argument);
      case 'DATA':
        return data();
      case 'RSET':
        envelope = undefined;
        return reply('250 2.0.0 reset');
      case 'NOOP':
        return reply('250 2.0.0 ok');
      case 'QUIT':
        reply('221 2.0.0 bye');
        return hangUp();
      default:
        return reply('502 5.5.2 unknown command');
    }
  };

  /** Works off what has arrived, as far as it is complete. */
  const work = () => {
    for (;;) {
      if (mode === 'waiting') return;
      if (mode === 'deaf') {
        input = Buffer.alloc(0);
        return;
      }
      if (mode === 'data') {
        if (!readBody()) return;
        continue;
      }
      const end = input.indexOf('\r\n');
      if (end === -1) return;
      const line = input.toString('latin1', 0, end);
      input = input.subarray(end + 2);
      if (mode === 'auth') continueAuth();
      else command(line);
    }
  };

  socket.on('data', (chunk: Buffer) => {
    input = mode === 'deaf' ? Buffer.alloc(0) : Buffer.concat([input, chunk]);
    work();
  });
  // A client that dies is part of the test; 'close' always follows.
  socket.on('error', () => {});

  const connectFault = host.takeFault('connect');
  if (connectFault) return strike(connectFault);
  const greetingFault = host.takeFault('greeting');
  if (greetingFault) {
    mode = 'waiting';
    setTimeout(() => {
      // Only garbage leaves a conversation behind.
      mode = 'command';
      if (!socket.destroyed) strike(greetingFault);
      work();
    }, greetingFaultDelayMs);
    return;
  }
  reply('220 testkit ESMTP');
}

/** `FROM:<a@b> SIZE=1` gives `a@b`. */
function addressIn(argument: string): string {
  return /<([^>]*)>/.exec(argument)?.[1] ?? '';
}
