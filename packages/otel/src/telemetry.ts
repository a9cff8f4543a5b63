import {
  createNoopMeter,
  context,
  type Meter,
  type MeterProvider,
  metrics,
  ProxyTracerProvider,
  trace,
  type Tracer,
  type TracerProvider,
} from '@opentelemetry/api';
import { currentClaim, type Ledger, OptionError } from '@sendonce/core';
import {
  checkFunction,
  checkLedger,
  checkNames,
  describe,
  type OptionNames,
} from '@sendonce/core/ledger';
import { trackAttempts } from './attempts.ts';
import type { ObservedEvent } from './destination.ts';
import { type DoubtWatch, watchOpenEmails } from './doubt-gauges.ts';
import { createInstruments } from './instruments.ts';
import { createSafely, type Safely } from './safely.ts';
import { timedLedger } from './timed-ledger.ts';

/** Options of {@link sendonceTelemetry}. */
export interface TelemetryOptions {
  /**
   * Where the metrics go.
   * @default the global one; register it before `sendonceTelemetry()` is called, or nothing is
   *   counted
   */
  readonly meterProvider?: MeterProvider | undefined;
  /**
   * Where the spans go.
   * @default the global one, also if it is registered later
   */
  readonly tracerProvider?: TracerProvider | undefined;
}

const OPTION_NAMES: OptionNames<TelemetryOptions> = { meterProvider: true, tracerProvider: true };

/** What {@link Telemetry.observe} needs of the options of `once()` or `perform()`. */
export interface ObservedOptions {
  readonly ledger: Ledger;
  // The event of once() has BullMQ's job, that of perform() has a JobRef. Both are accepted.
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly onEvent?: ((event: any) => void) | undefined;
}

/** What {@link sendonceTelemetry} returns: wrappers for the parts of sendonce. */
export interface Telemetry {
  /**
   * Returns the same options with a timed ledger and with a listener that counts events before your
   * own listener is called. For `once()`, `OnceWorker`, `@Once()` and `perform()`. The type of the
   * options stays as it is.
   * @throws {OptionError} if the options have no ledger
   * @example once(processor, telemetry.observe({ ledger, key }));
   */
  readonly observe: <O extends ObservedOptions>(options: O) => O;
  /**
   * Returns the same ledger with timed verbs, for `doubtSweeper()`, `delayedEmails()`,
   * `confirmSent()` and `resolveEmail()`. Resolutions are counted only by a timed ledger. A second
   * call with the same ledger returns the same timed ledger.
   * @throws {OptionError} if `ledger` is not a ledger
   * @example doubtSweeper(queue, { ledger: telemetry.ledger(ledger) });
   */
  readonly ledger: <L extends Ledger>(ledger: L) => L;
  /**
   * Wraps a processor, or the effect of `perform()`, so that it runs within the span of its
   * attempt: the spans of its requests and queries become children of that span. Without this they
   * are siblings.
   * @throws {OptionError} if `effect` is not a function
   * @example once(telemetry.effect(processor), telemetry.observe({ ledger, key }));
   */
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly effect: <F extends (...values: any[]) => unknown>(effect: F) => F;
  /**
   * Counts one event. {@link Telemetry.observe} registers it for you; call it yourself if you have
   * one place for all events. It never throws.
   */
  readonly onEvent: (event: ObservedEvent) => void;
  /**
   * Adds two gauges: the open emails by state, and the age of the oldest email in doubt in seconds.
   * Each collection of metrics reads up to 1,000 open emails by one `list` of the ledger, so call
   * it in one process only. Stop it with `close()`.
   * @throws {OptionError} if `ledger` is not a ledger
   * @example const watch = telemetry.watchDoubts(ledger);
   */
  readonly watchDoubts: (ledger: Ledger) => DoubtWatch;
}

/**
 * Measures sendonce with OpenTelemetry: counters, durations in seconds, and one span for each
 * attempt. No email depends on it: if measuring fails, emails are sent as usual and there is one
 * process warning with the code `SENDONCE_TELEMETRY`.
 * @throws {OptionError} if a provider has no `getMeter()` or `getTracer()`
 *
 * @example
 * const telemetry = sendonceTelemetry();
 * new Worker('notices', once(processor, telemetry.observe({ ledger, key })), { connection });
 */
export function sendonceTelemetry(options: TelemetryOptions = {}): Telemetry {
  checkNames('sendonceTelemetry()', options, OPTION_NAMES);
  checkProvider('meterProvider', options.meterProvider, 'getMeter');
  checkProvider('tracerProvider', options.tracerProvider, 'getTracer');
  const safely = createSafely();
  const meter = getMeter(options, safely);
  const instruments = createInstruments(meter, safely);
  const attempts = trackAttempts(instruments, getTracer(options, safely), safely);
  // A timed ledger is its own timed ledger. Core keeps one heartbeat for each ledger object.
  const timedLedgers = new WeakMap<Ledger, Ledger>();

  const telemetry: Telemetry = {
    ledger<L extends Ledger>(ledger: L): L {
      checkLedger(ledger);
      const known = timedLedgers.get(ledger) as L | undefined;
      if (known) return known;
      const timed = timedLedger(ledger, { instruments, attempts, safely });
      timedLedgers.set(ledger, timed);
      timedLedgers.set(timed, timed);
      return timed;
    },
    observe(observed) {
      checkLedger(observed?.ledger);
      const { ledger, onEvent } = observed;
      checkFunction('onEvent', onEvent, true);
      return {
        ...observed,
        ledger: telemetry.ledger(ledger),
        onEvent(event: ObservedEvent) {
          telemetry.onEvent(event);
          onEvent?.(event);
        },
      };
    },
    onEvent: (event) => safely(() => attempts.onEvent(event)),
    effect(effect) {
      checkFunction('effect', effect);
      const runInSpan = (run: () => unknown): unknown => {
        const token = currentClaim()?.token;
        const span = token === undefined ? undefined : safely(() => attempts.findContext(token));
        return span ? context.with(span, run) : run();
      };
      // BullMQ and once() pass a signal only to a function that declares three plain parameters.
      const wrapped =
        effect.length >= 3
          ? (job: unknown, token: unknown, signal: unknown) =>
              runInSpan(() => effect(job, token, signal))
          : (job: unknown, token: unknown) => runInSpan(() => effect(job, token));
      return wrapped as typeof effect;
    },
    watchDoubts(ledger) {
      checkLedger(ledger);
      const close = async () => {};
      return (
        safely(() => watchOpenEmails(meter, ledger)) ?? { close, [Symbol.asyncDispose]: close }
      );
    },
  };
  return telemetry;
}

function getMeter({ meterProvider }: TelemetryOptions, safely: Safely): Meter {
  const get = () => (meterProvider ?? metrics.getMeterProvider()).getMeter(SCOPE);
  return safely(get) ?? createNoopMeter();
}

function getTracer({ tracerProvider }: TelemetryOptions, safely: Safely): Tracer {
  const get = () => (tracerProvider ?? trace.getTracerProvider()).getTracer(SCOPE);
  return safely(get) ?? new ProxyTracerProvider().getTracer(SCOPE);
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
