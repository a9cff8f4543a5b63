import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { root } from './page.ts';

const page = readFileSync(`${root}docs/upgrading.md`, 'utf8');

/** Where the versions of each client that the tests run on are pinned. */
const pins: Readonly<Record<string, readonly [folder: string, ...names: string[]]>> = {
  BullMQ: ['bullmq', 'bullmq5', 'bullmq'],
  ioredis: ['redis', 'ioredis5', 'ioredis'],
  'node-redis': ['redis', 'redis'],
  pg: ['postgres', 'pg'],
  nodemailer: ['mail', 'nodemailer6', 'nodemailer7', 'nodemailer8', 'nodemailer9', 'nodemailer'],
};

test.each(Object.entries(pins))(
  'the compatibility table names the tested versions of %s',
  (client, [folder, ...names]) => {
    const manifest = JSON.parse(readFileSync(`${root}packages/${folder}/package.json`, 'utf8')) as {
      devDependencies: Record<string, string>;
    };
    const versions = names.map((name) => manifest.devDependencies[name]!.replace(/^.*@/, ''));
    const row = page.split('\n').find((line) => line.startsWith(`| ${client} `)) ?? '';
    const [, , tested = ''] = row.slice(1).split('|');
    // And others: those with which the peer ranges begin.
    expect(tested.match(/\d+\.\d+\.\d+/g)).toEqual(expect.arrayContaining(versions));
  },
);
