// Written by `pnpm api`: the public surface of this entry point.

import { checkAddress } from '@sendonce/core/mail';
import { MayHaveLeft } from '@sendonce/core';
import type { Readable } from 'node:stream';
import { SendonceError } from '@sendonce/core';
import { Verdict } from '@sendonce/core';

// @public
export function atSend(transporters: PluggableTransporter | readonly PluggableTransporter[], options?: DispatchAtSendOptions): 'at-send';

export { checkAddress }

// @public
export function classifyMailError(error: unknown, phase?: MailPhase): Verdict;

// @public
export function dispatchAtSend(options?: DispatchAtSendOptions): StreamPlugin;

// @public
export interface DispatchAtSendOptions {
    readonly idempotencyHeader?: string | undefined;
    readonly messageIdDomain?: string | undefined;
    readonly outsideClaim?: 'pass' | 'refuse' | undefined;
    readonly recipients?: 'any' | 'one' | undefined;
}

// @public
export function mailErrorNote(error: unknown): string;

// @public
export type MailPhase = 'before-dot' | 'after-dot' | 'unknown';

// @public
export class MailTransportError extends SendonceError {
    constructor(mayHaveLeft: MayHaveLeft, message: string, input?: {
        responseCode?: number;
        cause?: unknown;
    });
    // (undocumented)
    readonly name = "MailTransportError";
    readonly responseCode: number | undefined;
}

// @public
export interface PluggableTransporter {
    // (undocumented)
    use(step: any, plugin: any): unknown;
}

// @public
export type StreamPlugin = (mail: StreamPluginMail, callback: (error?: Error | null) => void) => void;

// @public
export interface StreamPluginMail {
    // (undocumented)
    readonly data: object;
    // (undocumented)
    readonly mailer: {
        readonly transporter: object;
    };
    // (undocumented)
    readonly message: StreamPluginMessage;
}

// @public
export interface StreamPluginMessage {
    // (undocumented)
    createReadStream(): Readable;
    // (undocumented)
    getEnvelope(): {
        readonly to?: unknown;
        readonly from?: unknown;
    };
    // (undocumented)
    messageId(): string;
}

