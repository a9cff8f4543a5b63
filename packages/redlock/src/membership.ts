import { OptionError } from '@sendonce/core';
import { defineScript } from '@sendonce/redis';
import * as lua from './generated/scripts.ts';
import { type Node, voteOf } from './node.ts';
import { copyRecords } from './copy-records.ts';
import { majorityOf } from './quorum.ts';

const status = defineScript(lua.status);
const join = defineScript(lua.join);

/**
 * Who remembers. A node that restarted may have forgotten emails that it acknowledged, all of them or
 * those since its last fsync: the hole of a plain redlock. So its votes count for nothing until it has
 * been given what the others remember. Each node keeps the id of the run in which it last knew
 * everything; a restart is a new run.
 */
export interface Membership {
  /** Asked after an answer: true when that answer came from a node that remembers. */
  remembers(node: Node): Promise<boolean>;
  /** Gives what is remembered to the nodes that restarted, and lets them vote again. */
  catchUp(): Promise<void>;
}

interface Status {
  readonly node: Node;
  readonly run: string;
  readonly remembers: boolean;
}

export function membershipOf(
  nodes: readonly Node[],
  prefix: string,
  timeoutMs: number,
): Membership {
  /** Where a node notes in which run it last remembered everything. */
  const memberKey = `${prefix}:member`;
  const runs = new Map<Node, string>();
  const asking = new Map<Node, Promise<Status>>();
  let catchingUp: Promise<void> | undefined;

  async function ask(node: Node): Promise<Status> {
    const [run = '', member] = (await status(node.client, [memberKey], [])) as string[];
    runs.set(node, run);
    assertDistinct(runs);
    return { node, run, remembers: run === member };
  }

  /** One command for all who ask in the same tick: it leaves after their answers have come. */
  function statusOf(node: Node): Promise<Status> {
    const joined = asking.get(node);
    if (joined) return joined;
    const asked = new Promise<void>((resolve) => process.nextTick(resolve)).then(() => {
      asking.delete(node);
      return ask(node);
    });
    asking.set(node, asked);
    return asked;
  }

  // Half of the deadline, so that whoever waits for it is told what is missing.
  async function reachable(): Promise<Status[]> {
    const found = await Promise.all(
      nodes.map((node) => voteOf(node, statusOf(node), timeoutMs / 2)),
    );
    return found.flatMap((vote) => (vote.state === 'answered' ? [vote.reply] : []));
  }

  async function catchUpNow(): Promise<void> {
    const all = await reachable();
    const members = all.filter(({ remembers }) => remembers);
    const behind = all.filter(({ remembers }) => !remembers);
    // A decided record is on a majority, less those that forgot it: a majority of members has it. With
    // fewer members all nodes must be there, and what any of them remembers counts. That is the first
    // start as well, when there is nothing to copy.
    const sources = members.length >= majorityOf(nodes) ? members : all;
    if (sources === all && all.length < nodes.length) return;
    await Promise.all(
      behind.map(async (one) => {
        for (const { node } of sources) {
          if (node !== one.node) await copyRecords(node, one.node, prefix, 10 * timeoutMs);
        }
        // A source that restarted meanwhile may have copied nothing.
        const now = await reachable();
        const unchanged = sources.every((source) =>
          now.some(({ node, run }) => node === source.node && run === source.run),
        );
        if (unchanged) await join(one.node.client, [memberKey], [one.run]);
      }),
    );
  }

  return {
    remembers: async (node) => (await statusOf(node)).remembers,
    catchUp() {
      catchingUp ??= catchUpNow().finally(() => (catchingUp = undefined));
      return catchingUp;
    },
  };
}

function assertDistinct(runs: ReadonlyMap<Node, string>): void {
  const names = new Map<string, string>();
  for (const [{ name }, run] of runs) {
    const other = names.get(run);
    if (other !== undefined) {
      throw new OptionError(
        'clients',
        `Expected "clients" to be independent Redis servers, but ${other} and ${name} are the same one ` +
          '(its run_id says so): it would vote twice. Nothing was sent. Give each node a server of its own.',
      );
    }
    names.set(run, name);
  }
}
