import {
  type Context,
  context,
  INVALID_SPAN_CONTEXT,
  SpanStatusCode,
  trace,
  type Tracer,
} from '@opentelemetry/api';
import { bounded } from './bounded.ts';
import { destinations, errorType, type SeenEvent, spanAttributes } from './destination.ts';
import type { Instruments } from './instruments.ts';
import type { Quietly } from './quietly.ts';
import { failures, type Outcome, outcomeOf, outcomes, stepOf, steps } from './words.ts';

/** When a verb ran: ms since 1970, and how long it took. */
export interface Timing {
  readonly startedMs: number;
  readonly tookMs: number;
  /** A reply's state, or the type of an error. */
  readonly reply?: string | undefined;
  readonly error?: string | undefined;
}

/** One attempt on its way. */
interface Open {
  readonly token: string;
  readonly destination: string;
  /** With the attempt's span in it. */
  readonly around: Context;
  /** By `performance.now()`. */
  dispatchedMs?: number;
  knownMs?: number;
}

/** Follows attempts from event to event, by their tokens: counts, durations and one span each. */
export interface Attempts {
  onEvent(event: SeenEvent): void;
  /** A claim was answered; its event, if there is one, comes soon. */
  claimed(token: string, timing: Timing): void;
  /** The outcome is known now, however long the ledger takes to record it. */
  outcomeKnown(token: string): void;
  /** The context of the attempt's span; undefined where there is none, or none that is recorded. */
  contextOf(token: string): Context | undefined;
  /** A span of a verb, in the attempt's. */
  traceVerb(verb: string, around: Context, timing: Timing): void;
}

/** Claims that are answered at once, and whose event is not told yet. */
const MOST_CLAIMS = 1000;

export function attemptsOf(instruments: Instruments, tracer: Tracer, quietly: Quietly): Attempts {
  // A series that begins with its first doubt shows no increase: all begin with 0, at a queue's first attempt.
  const destinationOf = destinations((destination) => {
    for (const outcome of [...outcomes, 'unrecorded'] as const) {
      instruments.attempts(0, outcomeOf(destination, outcome));
    }
    for (const word of steps) instruments.steps(0, stepOf(destination, word));
  });
  const open = bounded<string, Open>((left) => trace.getSpan(left.around)?.end());
  // Of who tells no events (a sweeper's lock) they stay until others push them out: few, as an event takes its own.
  const claims = bounded<string, Timing>(() => {}, MOST_CLAIMS);
  let lastEnded = '';

  function begin(event: SeenEvent): Open {
    const destination = destinationOf(event.by);
    const claim = claims.get(event.token);
    claims.delete(event.token);
    const startTime = claim?.startedMs ?? Date.now();
    const attributes = spanAttributes(event, destination);
    const start = () => tracer.startSpan(`send_email ${destination}`, { startTime, attributes });
    // Counted it is in any case.
    const span = quietly(start) ?? trace.wrapSpanContext(INVALID_SPAN_CONTEXT);
    const around = trace.setSpan(context.active(), span);
    const opened: Open = { token: event.token, destination, around };
    open.set(event.token, opened);
    if (claim) quietly(() => span.isRecording() && traceVerb('claim', around, claim));
    return opened;
  }

  function end(opened: Open, outcome: Outcome, note?: string): void {
    const { token, destination, around, dispatchedMs } = opened;
    open.delete(token);
    lastEnded = token;
    const attributes = outcomeOf(destination, outcome);
    instruments.attempts(1, attributes);
    if (dispatchedMs !== undefined) {
      const knownMs = opened.knownMs ?? performance.now();
      instruments.sendDuration((knownMs - dispatchedMs) / 1000, attributes);
    }
    const span = trace.getSpan(around);
    span?.setAttribute('sendonce.outcome', outcome);
    const failure = failures[outcome];
    if (failure !== undefined) {
      span?.setAttribute('error.type', note === undefined ? failure : errorType(note));
      span?.setStatus({ code: SpanStatusCode.ERROR });
    }
    span?.end();
  }

  function step(opened: Open | undefined, { type, token, by }: SeenEvent): void {
    instruments.steps(1, stepOf(opened?.destination ?? destinationOf(by), type));
    if (!opened) return;
    if (type === 'dispatched' || type === 'replayed') opened.dispatchedMs = performance.now();
    if (type === 'unrecorded') {
      // What else is told about this attempt is told at once; else the caller got an error, and this is its end.
      queueMicrotask(() => {
        if (open.get(token) === opened) quietly(() => end(opened, 'unrecorded'));
      });
    }
    if (type !== 'claimed') trace.getSpan(opened.around)?.addEvent(`sendonce.${type}`);
  }

  function traceVerb(verb: string, around: Context, timing: Timing): void {
    const { startedMs, tookMs, reply, error } = timing;
    const attributes = {
      'sendonce.ledger.verb': verb,
      ...(reply !== undefined && { 'sendonce.ledger.reply': reply }),
      ...(error !== undefined && { 'error.type': error }),
    };
    const span = tracer.startSpan(`sendonce.${verb}`, { startTime: startedMs, attributes }, around);
    if (error !== undefined) span.setStatus({ code: SpanStatusCode.ERROR });
    span.end(startedMs + tookMs);
  }

  return {
    onEvent(event) {
      const outcome = outcomes.find((word) => word === event.type);
      const opened = open.get(event.token);
      if (!outcome) {
        const begins = event.type === 'claimed' || event.type === 'replayed';
        return step(begins ? begin(event) : opened, event);
      }
      // Its own doubt was given back, and the attempt comes again: told twice, ended once.
      if (!opened && event.token === lastEnded) return undefined;
      return end(opened ?? begin(event), outcome, event.note);
    },
    claimed: (token, timing) => void claims.set(token, timing),
    outcomeKnown(token) {
      const opened = open.get(token);
      if (opened) opened.knownMs ??= performance.now();
    },
    contextOf(token) {
      const around = open.get(token)?.around;
      return around && trace.getSpan(around)?.isRecording() ? around : undefined;
    },
    traceVerb,
  };
}
