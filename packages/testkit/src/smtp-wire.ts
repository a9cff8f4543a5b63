import type { Socket } from 'node:net';
import { type Fault, type FaultPhase, faultText } from './smtp-faults.ts';

/** What the server writes on one connection: replies, or the faults that strike in their place. */
export class SmtpWire {
  /** The server neither reads nor writes any more. */
  isDeaf = false;
  private readonly socket: Socket;
  private readonly takeFault: (phase: FaultPhase) => Fault | undefined;

  constructor(socket: Socket, takeFault: (phase: FaultPhase) => Fault | undefined) {
    this.socket = socket;
    this.takeFault = takeFault;
  }

  reply(line: string, written?: () => void): void {
    if (!this.socket.writable) return;
    this.socket.write(`${line}\r\n`, (error) => {
      if (!error) written?.();
    });
    if (line.startsWith('421')) this.hangUp();
  }

  hangUp(): void {
    this.isDeaf = true;
    this.socket.end();
  }

  /** True when a fault struck in place of the usual answer. */
  strikesAt(phase: FaultPhase): boolean {
    const fault = this.takeFault(phase);
    if (fault) this.strike(fault);
    return fault !== undefined;
  }

  strike(fault: Fault): void {
    const text = faultText(fault);
    if (text !== '' && this.socket.writable) this.socket.write(text);
    switch (fault.how) {
      case 'reset':
        this.isDeaf = true;
        this.socket.resetAndDestroy();
        return;
      case 'hang':
        this.isDeaf = true;
        return;
      default:
        if (endsConnection(fault, text)) this.hangUp();
    }
  }
}

/** Whether the server closes the connection after what it has written. */
function endsConnection({ at, how }: Fault, text: string): boolean {
  if (how === 'close' || how === 'half-reply' || text.startsWith('421')) return true;
  const isRefusal = how === '4xx' || how === '5xx';
  return isRefusal && (at === 'greeting' || at === 'body');
}
