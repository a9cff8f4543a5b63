import { OptionError } from '@sendonce/core';
import { defineScript } from '@sendonce/redis/internal';
import { copyRecords } from './copy-records.ts';
import * as lua from './generated/scripts.ts';
import { type Node, voteOf } from './node.ts';
import { majorityOf } from './quorum.ts';

const status = defineScript(lua.status);
const markInSync = defineScript(lua.markInSync);

/**
 * Which nodes have all records. A node that restarted may have forgotten emails that it
 * acknowledged, all of them or those since its last fsync: the hole of a plain redlock. So its
 * votes do not count until it has been given the records of the others. Each node keeps the id of
 * the run in which it last had all records; a restart is a new run.
 */
export interface NodeSync {
  /** Asked after an answer: true if that answer came from a node that has all records. */
  isInSync(node: Node): Promise<boolean>;
  /** Copies the records to the nodes that restarted, and lets them vote again. */
  resync(): Promise<void>;
}

interface Status {
  readonly node: Node;
  readonly run: string;
  readonly isInSync: boolean;
}

export function createNodeSync(
  nodes: readonly Node[],
  prefix: string,
  answerWithinMs: number,
): NodeSync {
  /** Where a node notes in which run it last had all records. */
  const markKey = `${prefix}:in-sync`;
  const runs = new Map<Node, string>();
  const asking = new Map<Node, Promise<Status>>();
  let resyncing: Promise<void> | undefined;

  async function ask(node: Node): Promise<Status> {
    const [run = '', marked] = (await status(node.client, [markKey], [])) as string[];
    runs.set(node, run);
    assertDistinct(runs);
    return { node, run, isInSync: run === marked };
  }

  /** One command for all callers of the same tick: it leaves after their answers have come. */
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

  // Half of the deadline, so that the callers that wait for it learn what is missing.
  async function reachable(): Promise<Status[]> {
    const found = await Promise.all(
      nodes.map((node) => voteOf(node, statusOf(node), answerWithinMs / 2)),
    );
    return found.flatMap((vote) => (vote.state === 'answered' ? [vote.reply] : []));
  }

  async function resyncNow(): Promise<void> {
    const all = await reachable();
    const inSync = all.filter((one) => one.isInSync);
    const behind = all.filter((one) => !one.isInSync);
    // A decided record is on a majority, less those that forgot it: a majority that is in sync has
    // it. With fewer nodes in sync all nodes must be there, and what any of them has counts. That
    // is the first start as well, when there is nothing to copy.
    const sources = inSync.length >= majorityOf(nodes) ? inSync : all;
    if (sources === all && all.length < nodes.length) return;
    await Promise.all(
      behind.map(async (one) => {
        for (const { node } of sources) {
          if (node !== one.node) await copyRecords(node, one.node, prefix, 10 * answerWithinMs);
        }
        // A source that restarted meanwhile may have copied nothing.
        const now = await reachable();
        const unchanged = sources.every((source) =>
          now.some(({ node, run }) => node === source.node && run === source.run),
        );
        if (unchanged) await markInSync(one.node.client, [markKey], [one.run]);
      }),
    );
  }

  return {
    isInSync: async (node) => (await statusOf(node)).isInSync,
    resync() {
      resyncing ??= resyncNow().finally(() => (resyncing = undefined));
      return resyncing;
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
          '(its run_id says so): it would vote twice. Nothing was sent. Give each node its own server.',
      );
    }
    names.set(run, name);
  }
}
