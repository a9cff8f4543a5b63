/**
 * Writes `key-vectors.json` from core and `behaviour-vectors.json` from the memory ledger.
 * `--check` fails if a committed file is stale. A path after it names another file of key vectors.
 * Of the key vectors only the content counts: their layout is the formatter's (`pnpm format`).
 */
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { argv } from 'node:process';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { deriveKey, isSendonceError } from '../packages/core/src/index.ts';
import { canonicalJson } from '../packages/core/src/keys.ts';
import { placesOf } from '../packages/redis/src/places.ts';
import { makeBehaviour, textOfBehaviour } from './make-behaviour.ts';
import { type Input, inputs, refusedInJavaScript, refusedInputs } from './vector-cases.ts';

export interface KeyVector extends Input {
  readonly canonical: string;
  readonly sha256: string;
  readonly key: string;
}

export interface RefusedVector extends Input {
  readonly path: string;
  readonly why: string;
}

export interface Vectors {
  readonly about: string;
  readonly keys: readonly KeyVector[];
  readonly refused: readonly RefusedVector[];
  readonly refusedInJavaScript: readonly {
    readonly name: string;
    readonly javascript: string;
    readonly path: string;
    readonly why: string;
  }[];
  readonly places: readonly {
    readonly key: string;
    readonly prefix: string;
    readonly record: string;
    readonly index: string;
  }[];
}

/** What the key of an input is derived from. */
export function sourceOf({ selected, json, occurrence, iteration }: Input): unknown {
  const value: unknown = json === undefined ? selected : JSON.parse(json);
  if (occurrence !== undefined) return [value, { occurrence }];
  if (iteration !== undefined) return [value, iteration];
  return value;
}

/** Where a value is refused, and why: the beginning of core's message. */
export function refusalOf(value: unknown): { path: string; why: string } | undefined {
  try {
    deriveKey(value);
    return undefined;
  } catch (error) {
    if (!isSendonceError(error, 'SENDONCE_KEY')) throw error;
    const [, path = '', why = ''] =
      /^"([^"]*)" (.*?)\. Nothing was sent\./.exec(error.message) ?? [];
    return { path, why };
  }
}

export function makeVectors(): Vectors {
  return {
    about: 'Test vectors of key.md. Written by make-vectors.ts: do not edit.',
    keys: inputs.map((input) => {
      const source = sourceOf(input);
      const canonical = canonicalJson(source);
      const sha256 = createHash('sha256').update(canonical).digest('hex');
      return { ...input, canonical, sha256, key: deriveKey(source) };
    }),
    refused: refusedInputs.map((input) => ({ ...input, ...refused(input.name, sourceOf(input)) })),
    refusedInJavaScript: refusedInJavaScript.map(({ name, javascript, value }) => ({
      name,
      javascript,
      ...refused(name, value),
    })),
    places: ['sendonce', 'shop'].flatMap((prefix) => {
      const { record, index } = placesOf(prefix);
      return keysOfPlaces.map((key) => ({ key, prefix, record: record(key), index: index(key) }));
    }),
  };
}

const keysOfPlaces = ['D3T-pF2GgD8xLtbFwko3XA', '-ABCDEFGHIJKLMNOPQRSTU', '_abcdefghijklmnopqrstu'];

function refused(name: string, value: unknown): { path: string; why: string } {
  const refusal = refusalOf(value);
  if (!refusal) throw new Error(`Expected core to refuse "${name}".`);
  return refusal;
}

async function main([mode, path = fileOf('key-vectors.json')]: string[]): Promise<void> {
  const isCheck = mode === '--check';
  const keys = JSON.stringify(makeVectors(), undefined, 2);
  if (!isCheck) {
    writeFileSync(path, `${keys}\n`);
    writeFileSync(behaviourFile, textOfBehaviour(await makeBehaviour()));
    console.log(`${path} and ${behaviourFile} are written: run \`pnpm format\`.`);
    return;
  }
  const stale: string[] = [];
  if (JSON.stringify(JSON.parse(readFileSync(path, 'utf8')), undefined, 2) !== keys) {
    stale.push(path);
  }
  if (readFileSync(behaviourFile, 'utf8') !== textOfBehaviour(await makeBehaviour())) {
    stale.push(behaviourFile);
  }
  for (const file of stale) {
    console.error(`${file} is stale: run \`pnpm vectors\`, then \`pnpm format\`.`);
    process.exitCode = 1;
  }
}

const behaviourFile = fileOf('behaviour-vectors.json');

function fileOf(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url));
}

if (import.meta.url === pathToFileURL(argv[1] ?? '').href) await main(argv.slice(2));
