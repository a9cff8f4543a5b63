// Written by `pnpm api`: the public surface of this entry point.

import type { JobRef } from '@sendonce/core';
import { Ledger } from '@sendonce/core';
import { MeterProvider } from '@opentelemetry/api';
import type { PerformEvent } from '@sendonce/core';
import { TracerProvider } from '@opentelemetry/api';

// @public
export interface BullMQJob {
    // (undocumented)
    readonly id?: string | undefined;
    // (undocumented)
    readonly queueName: string;
}

// @public
export interface DoubtWatch extends AsyncDisposable {
    readonly close: () => Promise<void>;
}

// @public
export type ObservedEvent = Omit<PerformEvent, 'job' | 'by'> & {
    readonly job?: JobRef | BullMQJob | undefined;
    readonly by?: string | undefined;
};

// @public
export interface ObservedOptions {
    // (undocumented)
    readonly ledger: Ledger;
    // (undocumented)
    readonly onEvent?: ((event: any) => void) | undefined;
}

// @public
export function sendonceTelemetry(options?: TelemetryOptions): Telemetry;

// @public
export interface Telemetry {
    readonly effect: <F extends (...values: any[]) => unknown>(effect: F) => F;
    readonly ledger: <L extends Ledger>(ledger: L) => L;
    readonly observe: <O extends ObservedOptions>(options: O) => O;
    readonly onEvent: (event: ObservedEvent) => void;
    readonly watchDoubts: (ledger: Ledger) => DoubtWatch;
}

// @public
export interface TelemetryOptions {
    readonly meterProvider?: MeterProvider | undefined;
    readonly tracerProvider?: TracerProvider | undefined;
}

