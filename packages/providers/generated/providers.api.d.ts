// Written by `pnpm api`: the public surface of this entry point.

import { checkAddress } from '@sendonce/core/mail';
import type { Resolver } from '@sendonce/core';
import { SendonceError } from '@sendonce/core';
import { Verdict } from '@sendonce/core';

// @public
export interface AhaSendOptions extends KeyedProviderOptions {
    readonly accountId: string;
}

// @public
export function ahaSendTransport(options: AhaSendOptions): ProviderTransport;

// @public
export interface AzureAccount {
    readonly accessKey: string;
    readonly endpoint: string;
}

// @public
export function azureLookUp(options: AzureLookUpOptions): Resolver;

// @public
export interface AzureLookUpOptions extends AzureAccount, Pick<LookUpOptions, 'answerWithinMs' | 'fetch'> {
    readonly notFoundAfterMs?: number | undefined;
}

// @public
export interface AzureOptions extends AzureAccount, Omit<ProviderOptions, 'apiKey' | 'url'> {
}

// @public
export function azureTransport(options: AzureOptions): ProviderTransport;

// @public
export function brevoLookUp(options: LookUpOptions): Resolver;

// @public
export const brevoSdk: SdkAdapter;

// @public
export function brevoTransport(options: KeyedProviderOptions): ProviderTransport;

export { checkAddress }

// @public
export function classifySdkError(error: unknown): Verdict | undefined;

// @public
export const fetchCall: SdkAdapter;

// @public
export interface KeyedProviderOptions extends ProviderOptions {
    readonly windowMs?: number | undefined;
}

// @public
export function lettermintTransport(options: KeyedProviderOptions): ProviderTransport;

// @public
export interface LookUpOptions extends Pick<ProviderOptions, 'apiKey' | 'fetch'> {
    readonly answerWithinMs?: number | undefined;
    readonly url?: string | undefined;
}

// @public
export interface LoopsOptions extends KeyedProviderOptions {
    readonly dataVariables?: ((parts: LoopsParts) => Readonly<Record<string, string | number>>) | undefined;
    readonly transactionalId?: string | undefined;
}

// @public
export interface LoopsParts {
    // (undocumented)
    readonly from: string;
    // (undocumented)
    readonly html?: string;
    // (undocumented)
    readonly replyTo?: string;
    // (undocumented)
    readonly subject: string;
    // (undocumented)
    readonly text?: string;
}

// @public
export function loopsTransport(options: LoopsOptions): ProviderTransport;

// @public
export const mailgunSdk: SdkAdapter;

// @public
export interface Outcome {
    readonly code?: string | undefined;
    readonly messageId?: string | undefined;
    readonly refused?: string | undefined;
    readonly retryAfterMs?: number | undefined;
    readonly state: OutcomeState;
    readonly status?: number | undefined;
}

// @public
export type OutcomeState = 'sent' | 'sent-already' | 'in-progress' | 'conflict' | 'rejected' | 'refused' | 'not-sent' | 'unknown';

// @public
export function plunkTransport(options: KeyedProviderOptions): ProviderTransport;

// @public
export function postmarkLookUp(options: PostmarkLookUpOptions): Resolver;

// @public
export interface PostmarkLookUpOptions extends LookUpOptions {
    readonly messageStream?: string | undefined;
}

// @public
export interface PostmarkOptions extends ProviderOptions {
    readonly messageStream?: string | undefined;
}

// @public
export const postmarkSdk: SdkAdapter;

// @public
export function postmarkTransport(options: PostmarkOptions): ProviderTransport;

// @public
export class ProviderError extends SendonceError {
    constructor(provider: string, outcome: Outcome, message: string, sdkError?: unknown);
    // (undocumented)
    readonly name = "ProviderError";
    readonly outcome: OutcomeState;
    readonly provider: string;
    readonly reason: string | undefined;
    readonly retryAfterMs: number | undefined;
    readonly sdkError: unknown;
    readonly status: number | undefined;
}

// @public
export interface ProviderMessage {
    readonly data: object;
    readonly message: {
        getEnvelope(): {
            readonly to?: unknown;
            readonly from?: unknown;
        };
    };
}

// @public
export interface ProviderOptions {
    readonly answerWithinMs?: number | undefined;
    readonly apiKey: string;
    readonly disableFileAccess?: boolean | undefined;
    readonly disableUrlAccess?: boolean | undefined;
    // Warning: (ae-forgotten-export) The symbol "Fetch" needs to be exported by the entry point index.d.ts
    readonly fetch?: Fetch | undefined;
    readonly recipients?: 'any' | 'one' | undefined;
    readonly url?: string | undefined;
}

// @public
export interface ProviderSentInfo {
    readonly accepted: readonly string[];
    readonly envelope: {
        readonly from: string;
        readonly to: readonly string[];
    };
    readonly messageId: string | undefined;
    readonly rejected: readonly string[];
    readonly response: string;
}

// @public
export interface ProviderTemplate {
    readonly id: string | number;
    readonly variables?: {
        readonly [name: string]: TemplateValue;
    } | undefined;
}

// @public
export interface ProviderTransport {
    readonly name: string;
    send(mail: ProviderMessage, callback: (error: Error | null, info: ProviderSentInfo) => void): void;
    readonly version: string;
    readonly windowMs: number | undefined;
}

// @public
export const resendSdk: SdkAdapter;

// @public
export function resendTransport(options: KeyedProviderOptions): ProviderTransport;

// @public
export interface SdkAdapter {
    readonly name: string;
    readonly readError: (error: unknown, keyed: boolean) => Outcome;
    readonly readResult: (result: unknown, keyed: boolean) => Outcome | Promise<Outcome>;
}

// @public
export interface SdkKeys {
    readonly idempotencyKey: string;
    readonly uuid: string;
}

// @public
export function sendGridLookUp(options: LookUpOptions): Resolver;

// @public
export const sendGridSdk: SdkAdapter;

// @public
export function sendGridTransport(options: ProviderOptions): ProviderTransport;

// @public
export function sendWith<R>(sdk: SdkAdapter, call: (keys: SdkKeys) => Promise<R>): Promise<R | undefined>;

// @public
export interface SesOptions extends Omit<ProviderOptions, 'apiKey'> {
    readonly accessKeyId: string;
    readonly region: string;
    readonly secretAccessKey: string;
    readonly sessionToken?: string | undefined;
}

// @public
export const sesSdk: SdkAdapter;

// @public
export function sesTransport(options: SesOptions): ProviderTransport;

// @public
export function sparkPostTransport(options: KeyedProviderOptions): ProviderTransport;

// @public
export interface TemplateMessage {
    readonly template: ProviderTemplate;
}

// @public
export type TemplateValue = string | number | boolean | null | readonly TemplateValue[] | {
    readonly [name: string]: TemplateValue;
};

