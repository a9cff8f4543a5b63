import { setTimeout as sleep } from 'node:timers/promises';
import { HOUR_MS } from '@sendonce/core/ledger';
import type { Backend } from '../backend.ts';
import { type Command, textOption } from '../command.ts';
import { toJson } from '../json.ts';
import { exitCodes, stripControls, type Terminal, UsageError } from '../terminal.ts';
import { wrap } from '../wrap.ts';
import { describeNothingKnown, type NothingKnown, reportNothingKnown } from '../nothing-known.ts';
import {
  findNothingCounted,
  hasCounted,
  loadStatus,
  renderStatus,
  type Status,
  unreadableJson,
} from './status.ts';

export const watch: Command = {
  name: 'watch',
  summary: 'the status, live, until Ctrl-C',
  details:
    'On a terminal the status is redrawn. To a pipe, and with --json, a line is written when something changes.',
  options: [['--every <seconds>', 'how often it is read (default: 1)']],
  async run(commandLine, terminal, openBackend) {
    const everyMs = parseEvery(textOption(commandLine, 'every'));
    const backend = await openBackend();
    const writeStatus = commandLine.json || terminal.columns === undefined ? appendTo : redrawOn;
    const write = writeStatus(terminal, backend, commandLine.json);
    let status = await loadStatus(backend);
    // The stores are searched once. After that, the first email that is counted is the answer.
    let nothingKnown = await findNothingCounted(status, backend);
    while (!terminal.stopped.aborted) {
      if (hasCounted(status)) nothingKnown = undefined;
      write(status, nothingKnown);
      await sleep(everyMs, undefined, { signal: terminal.stopped }).catch(() => {});
      if (!terminal.stopped.aborted) status = await loadStatus(backend);
    }
    return nothingKnown ? exitCodes.nothingKnown : exitCodes.ok;
  },
};

const WAITING = 'Waiting for the first email.';

type Write = (status: Status, nothingKnown: NothingKnown | undefined) => void;

/** On a terminal, the status is drawn over the one before. */
function redrawOn(terminal: Terminal, backend: Backend): Write {
  return (status, nothingKnown) => {
    const text = nothingKnown
      ? wrap(`${describeNothingKnown(nothingKnown)}\n\n${WAITING}`, terminal)
      : renderStatus(status, backend, terminal);
    terminal.out(redraw(`${text}\n\n${terminal.paint.dim('Ctrl-C ends')}`));
  };
}

/**
 * To a pipe, a line is written when something has changed. Zeros say nothing, so none is written.
 */
function appendTo(terminal: Terminal, _backend: Backend, json: boolean): Write {
  let lastLine: string | undefined;
  return (status, nothingKnown) => {
    const line = json
      ? toJson({ ...summarise(status), nothingKnown, ...unreadableJson(status) })
      : renderSummary(status);
    if (lastLine === undefined && nothingKnown) {
      reportNothingKnown(nothingKnown, terminal);
      terminal.err(WAITING);
    }
    if (line !== lastLine && (json || !nothingKnown)) terminal.out(line);
    lastLine = line;
  };
}

function parseEvery(seconds = '1'): number {
  const everyMs = Number(seconds) * 1000;
  if (everyMs >= 100 && everyMs <= HOUR_MS) return everyMs;
  throw new UsageError('Expected --every to be seconds, from 0.1 to 3600.');
}

/** Moves the cursor home and overwrites each line; then erases the rest of the screen. */
function redraw(text: string): string {
  return `\u001B[H${text.replaceAll('\n', '\u001B[K\n')}\u001B[J`;
}

function summarise({ sending, inDoubt, unreadable, today }: Status) {
  return { sending, inDoubt: inDoubt.length, unreadable: unreadable?.key, today };
}

function renderSummary(status: Status): string {
  const { sending, inDoubt, today } = summarise(status);
  const counts = Object.entries(today).map(([type, count]) => `${stripControls(type)} ${count}`);
  return [`sending ${sending}`, `in doubt ${inDoubt}`, ...counts].join('  ');
}
