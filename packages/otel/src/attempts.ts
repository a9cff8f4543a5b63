import {
  type Context,
  context,
  INVALID_SPAN_CONTEXT,
  SpanStatusCode,
  trace,
  type Tracer,
} from '@opentelemetry/api';
import { createBoundedMap } from './bounded-map.ts';
import {
  createNameDestination,
  errorType,
  type ObservedEvent,
  spanAttributes,
} from './destination.ts';
import type { Instruments } from './instruments.ts';
import {
  failureTypes,
  type Outcome,
  outcomeAttributes,
  outcomes,
  stepAttributes,
  steps,
} from './outcomes.ts';
import type { Safely } from './safely.ts';

/** When a verb of the ledger ran, and what it answered. */
export interface VerbTiming {
  readonly verb: string;
  /** Milliseconds since 1970. */
  readonly startedMs: number;
  readonly tookMs: number;
  /** The state of the reply. */
  readonly reply?: string | undefined;
  /** The type of the error. */
  readonly error?: string | undefined;
}

/** Follows attempts from event to event, by their tokens: counts, durations and one span each. */
export interface AttemptTracker {
  onEvent(event: ObservedEvent): void;
  /** A claim was answered. Its event follows soon, if there is one. */
  onClaim(token: string, timing: VerbTiming): void;
  /** The outcome is known now; the ledger may take longer to record it. */
  onOutcomeKnown(token: string): void;
  /** The context of the attempt's span. Undefined if the attempt has no span that is recorded. */
  findContext(token: string): Context | undefined;
  /** Adds the span of a verb to that of its attempt. */
  traceVerb(attemptContext: Context, timing: VerbTiming): void;
}

interface OpenAttempt {
  readonly token: string;
  readonly destination: string;
  /** Contains the attempt's span. */
  readonly context: Context;
  /** By `performance.now()`, like `knownMs`. */
  dispatchedMs?: number;
  /** When the outcome was known. */
  knownMs?: number;
}

/**
 * A claim waits here for its event. A claim without events, such as the sweeper's lock, stays until
 * this many others came after it.
 */
const MAX_CLAIMS = 1000;

export function trackAttempts(
  instruments: Instruments,
  tracer: Tracer,
  safely: Safely,
): AttemptTracker {
  // Prometheus shows no increase of a series that begins with its first doubt, so all begin with 0.
  const nameDestination = createNameDestination((destination) => {
    for (const outcome of [...outcomes, 'unrecorded'] as const) {
      instruments.attempts(0, outcomeAttributes(destination, outcome));
    }
    for (const step of steps) instruments.steps(0, stepAttributes(destination, step));
  });
  const openAttempts = createBoundedMap<string, OpenAttempt>((dropped) =>
    trace.getSpan(dropped.context)?.end(),
  );
  const claims = createBoundedMap<string, VerbTiming>(() => {}, MAX_CLAIMS);
  let lastEndedToken = '';

  function begin(event: ObservedEvent): OpenAttempt {
    const { token } = event;
    const destination = nameDestination(event.job);
    const claim = claims.get(token);
    claims.delete(token);
    const startTime = claim?.startedMs ?? Date.now();
    const attributes = spanAttributes(event, destination);
    const startSpan = () =>
      tracer.startSpan(`send_email ${destination}`, { startTime, attributes });
    // The attempt is counted even if its span cannot be started.
    const span = safely(startSpan) ?? trace.wrapSpanContext(INVALID_SPAN_CONTEXT);
    const attempt: OpenAttempt = {
      token,
      destination,
      context: trace.setSpan(context.active(), span),
    };
    openAttempts.set(token, attempt);
    if (claim) safely(() => span.isRecording() && traceVerb(attempt.context, claim));
    return attempt;
  }

  function end(attempt: OpenAttempt, outcome: Outcome, note?: string): void {
    const { token, destination, dispatchedMs } = attempt;
    openAttempts.delete(token);
    lastEndedToken = token;
    const attributes = outcomeAttributes(destination, outcome);
    instruments.attempts(1, attributes);
    if (dispatchedMs !== undefined) {
      const knownMs = attempt.knownMs ?? performance.now();
      instruments.sendDuration((knownMs - dispatchedMs) / 1000, attributes);
    }
    const span = trace.getSpan(attempt.context);
    span?.setAttribute('sendonce.outcome', outcome);
    const failureType = failureTypes[outcome];
    if (failureType !== undefined) {
      // The note is a code; one that is not is left out, as errorType() does.
      const type = note === undefined ? failureType : errorType({ code: note });
      span?.setAttribute('error.type', type);
      span?.setStatus({ code: SpanStatusCode.ERROR });
    }
    span?.end();
  }

  function countStep(attempt: OpenAttempt | undefined, { type, token, job }: ObservedEvent): void {
    const destination = attempt?.destination ?? nameDestination(job);
    instruments.steps(1, stepAttributes(destination, type));
    if (!attempt) return;
    if (type === 'dispatched' || type === 'replayed') attempt.dispatchedMs = performance.now();
    if (type === 'unrecorded') {
      // Another end of this attempt is reported in the same tick. Otherwise its caller gets an
      // error.
      queueMicrotask(() => {
        if (openAttempts.get(token) === attempt) safely(() => end(attempt, 'unrecorded'));
      });
    }
    if (type !== 'claimed') trace.getSpan(attempt.context)?.addEvent(`sendonce.${type}`);
  }

  function traceVerb(attemptContext: Context, timing: VerbTiming): void {
    const { verb, startedMs, tookMs, reply, error } = timing;
    const attributes = {
      'sendonce.ledger.verb': verb,
      ...(reply !== undefined && { 'sendonce.ledger.reply': reply }),
      ...(error !== undefined && { 'error.type': error }),
    };
    const options = { startTime: startedMs, attributes };
    const span = tracer.startSpan(`sendonce.${verb}`, options, attemptContext);
    if (error !== undefined) span.setStatus({ code: SpanStatusCode.ERROR });
    span.end(startedMs + tookMs);
  }

  return {
    onEvent(event) {
      const { type, token, note } = event;
      const outcome = outcomes.find((one) => one === type);
      const attempt = openAttempts.get(token);
      if (!outcome) {
        const begins = type === 'claimed' || type === 'replayed';
        return countStep(begins ? begin(event) : attempt, event);
      }
      // An attempt that released its own doubt and comes again reports two ends. It has ended once.
      if (!attempt && token === lastEndedToken) return undefined;
      return end(attempt ?? begin(event), outcome, note);
    },
    onClaim: (token, timing) => void claims.set(token, timing),
    onOutcomeKnown(token) {
      const attempt = openAttempts.get(token);
      if (attempt) attempt.knownMs ??= performance.now();
    },
    findContext(token) {
      const attemptContext = openAttempts.get(token)?.context;
      const isRecorded = attemptContext && trace.getSpan(attemptContext)?.isRecording();
      return isRecorded ? attemptContext : undefined;
    },
    traceVerb,
  };
}
