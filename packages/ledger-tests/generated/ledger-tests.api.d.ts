// Written by `pnpm api`: the public surface of this entry point.

import type { Attempt } from '@sendonce/core';
import { Ledger } from '@sendonce/core';

// @public
export interface BrokenLedger {
    readonly create: () => LedgerUnderTest;
    readonly name: string;
    readonly topic: string;
}

// @public
export const brokenLedgers: readonly BrokenLedger[];

// @public
export interface Capabilities {
    readonly corrupt: (key: string, bytes: string) => Promise<void>;
    readonly lostReply: <T>(verb: (ledger: Ledger) => Promise<T>) => Promise<T>;
    readonly stored: (key: string) => Promise<string | undefined>;
}

// @public
export interface CaseResult {
    readonly error?: unknown;
    readonly skipped: boolean;
    readonly title: string;
}

// @public
export function checkLedger(underTest: LedgerUnderTest, input: ModelRun): Promise<{
    readonly runs: number;
    readonly asked: number;
    readonly unanswered: number;
}>;

// @public
export interface Context extends Partial<Capabilities> {
    readonly advance: (ms: number) => Promise<void>;
    readonly attempt: (overrides?: Partial<Attempt>) => Attempt;
    readonly fallSilent: (ms: number) => Promise<void>;
    readonly key: () => string;
    readonly ledger: Ledger;
    readonly other: Ledger;
    readonly unitMs: number;
}

// @public
export function describeLedger(name: string, create: () => LedgerUnderTest | Promise<LedgerUnderTest>, input?: DescribeLedgerOptions): void;

// @public
export interface DescribeLedgerOptions {
    readonly concurrent?: boolean | undefined;
}

// @public
export function describeModel(name: string, create: () => LedgerUnderTest | Promise<LedgerUnderTest>, options: DescribeModelOptions): void;

// @public
export interface DescribeModelOptions extends Pick<ModelRun, 'lanes' | 'byMajority'> {
    readonly runs: number;
}

// @public
export interface Fault {
    readonly moment: 'before' | 'after';
    readonly times?: number | undefined;
    readonly verb: Verb;
}

// @public
export function faultyLedger(ledger: Ledger, input: Fault): Ledger;

// @public
export const ledgerTopics: readonly Topic[];

// @public
export interface LedgerUnderTest extends Partial<Capabilities> {
    readonly advance?: ((ms: number) => Promise<void>) | undefined;
    readonly close?: (() => Promise<void>) | undefined;
    readonly fallSilent?: ((ms: number) => Promise<void>) | undefined;
    readonly ledger: Ledger;
    readonly other: Ledger;
    readonly timeUnitMs?: number | undefined;
}

// @public
export function memoryUnderTest(change?: (ledger: Ledger) => Ledger): LedgerUnderTest;

// @public
export interface ModelRun {
    readonly atOnce: boolean;
    readonly byMajority?: boolean | undefined;
    readonly lanes?: number | undefined;
    readonly path?: string | undefined;
    readonly runs: number;
    readonly seed: number;
    readonly withinMs: number;
}

// @public
export function onBusyMachine(run: (scale: number) => Promise<void>): Promise<void>;

// @public
export function runTopic(topic: Topic, underTest: LedgerUnderTest): Promise<CaseResult[]>;

// @public
export interface Topic {
    readonly cases: readonly TopicCase[];
    readonly name: string;
}

// @public
export interface TopicCase {
    readonly needs?: readonly (keyof Capabilities)[] | undefined;
    readonly run: (context: Context) => Promise<void>;
    readonly title: string;
}

// @public
export type Verb = Exclude<keyof Ledger, 'list' | 'doctor' | 'onLost' | 'settleVia' | 'answerWithinMs'>;

