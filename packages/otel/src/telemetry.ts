import {
  createNoopMeter,
  context,
  type MeterProvider,
  metrics,
  ProxyTracerProvider,
  trace,
  type TracerProvider,
} from '@opentelemetry/api';
import { currentClaim, type Ledger, OptionError } from '@sendonce/core';
import { checkFunction, checkLedger, describe } from '@sendonce/core/ledger';
import { attemptsOf } from './attempts.ts';
import type { SeenEvent } from './destination.ts';
import { doubtGauges } from './doubt-gauges.ts';
import { instrumentsOf } from './instruments.ts';
import { quietly } from './quietly.ts';
import { timedLedger } from './timed-ledger.ts';

export interface TelemetryOptions {
  /** @default the global one: register it before `sendonceTelemetry()` is called, or nothing is counted */
  readonly meterProvider?: MeterProvider;
  /** @default the global one, whenever it is registered */
  readonly tracerProvider?: TracerProvider;
}

/** Options of `once()` or `perform()`. */
export interface Observable {
  readonly ledger: Ledger;
  // The event of once() has the job, that of perform() has not: either is taken as it is.
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly onEvent?: (event: any) => void;
}

export interface Telemetry {
  /**
   * The same options, observed: their ledger is timed and their events are counted, before a listener of
   * your own hears of them. For `once()`, `OnceWorker`, `@Once()` and `perform()`.
   * @throws {OptionError} for options without a ledger.
   */
  readonly observe: <O extends Observable>(options: O) => O;
  /**
   * The same ledger, timed, and one for each ledger however often it is asked for: for `doubtSweeper()`,
   * `delayedEmails()`, `confirmSent()`.
   * @throws {OptionError}
   */
  readonly ledger: <L extends Ledger>(ledger: L) => L;
  /**
   * Runs a processor, or the effect of `perform()`, within the span of its attempt, so that what it does (a
   * request, a query) is traced below it. Without this it is traced beside it.
   * @throws {OptionError}
   */
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly effect: <F extends (...values: any[]) => unknown>(effect: F) => F;
  /** The listener that `observe()` registers, for a caller that has one place for all events. */
  readonly onEvent: (event: SeenEvent) => void;
  /**
   * Counts the open emails and those in doubt each time that metrics are collected, by one `list` of the ledger:
   * one process of a fleet is enough. Returns what ends it; the values that were seen last may stay, as the
   * SDK keeps them.
   * @throws {OptionError}
   */
  readonly watchDoubts: (ledger: Ledger) => () => void;
}

/**
 * OpenTelemetry for sendonce: counters, durations and one span for each attempt. It decides over no
 * email: what fails in here is one process warning (`--disable-warning=SENDONCE_TELEMETRY`).
 * @throws {OptionError} for a provider that is none.
 *
 * @example
 * const telemetry = sendonceTelemetry();
 * new Worker('notices', once(processor, telemetry.observe({ ledger, key })), { connection });
 */
export function sendonceTelemetry(options: TelemetryOptions = {}): Telemetry {
  checkProvider('meterProvider', options.meterProvider, 'getMeter');
  checkProvider('tracerProvider', options.tracerProvider, 'getTracer');
  const guard = quietly();
  const meter =
    guard(() => (options.meterProvider ?? metrics.getMeterProvider()).getMeter(SCOPE)) ??
    createNoopMeter();
  const tracer =
    guard(() => (options.tracerProvider ?? trace.getTracerProvider()).getTracer(SCOPE)) ??
    new ProxyTracerProvider().getTracer(SCOPE);
  const instruments = instrumentsOf(meter, guard);
  const attempts = attemptsOf(instruments, tracer, guard);
  // One for each: a ledger has one heartbeat, whoever is given it.
  const timed = new WeakMap<Ledger, Ledger>();

  const telemetry: Telemetry = {
    ledger<L extends Ledger>(ledger: L): L {
      checkLedger(ledger);
      const known = timed.get(ledger) as L | undefined;
      if (known) return known;
      const made = timedLedger(ledger, { instruments, attempts, quietly: guard });
      timed.set(ledger, made);
      timed.set(made, made);
      return made;
    },
    observe(observed) {
      checkLedger(observed?.ledger);
      const { ledger, onEvent } = observed;
      checkFunction('onEvent', onEvent, true);
      return {
        ...observed,
        ledger: telemetry.ledger(ledger),
        onEvent(event: SeenEvent) {
          telemetry.onEvent(event);
          onEvent?.(event);
        },
      };
    },
    onEvent: (event) => guard(() => attempts.onEvent(event)),
    effect(effect) {
      checkFunction('effect', effect);
      const within = (run: () => unknown): unknown => {
        const token = currentClaim()?.token;
        const around = token === undefined ? undefined : guard(() => attempts.contextOf(token));
        return around ? context.with(around, run) : run();
      };
      // BullMQ and once() pass a signal only to a function that declares three plain parameters.
      const wrapped =
        effect.length >= 3
          ? (job: unknown, token: unknown, signal: unknown) =>
              within(() => effect(job, token, signal))
          : (job: unknown, token: unknown) => within(() => effect(job, token));
      return wrapped as typeof effect;
    },
    watchDoubts(ledger) {
      checkLedger(ledger);
      return guard(() => doubtGauges(meter, ledger)) ?? (() => {});
    },
  };
  return telemetry;
}

const SCOPE = '@sendonce/otel';

function checkProvider(option: string, value: unknown, method: string): void {
  if (value === undefined) return;
  const found = value as Record<string, unknown> | null;
  if (typeof found === 'object' && found && typeof found[method] === 'function') return;
  throw new OptionError(
    option,
    `Expected "${option}" to be a provider with ${method}(), got ${describe(value)}.`,
  );
}
