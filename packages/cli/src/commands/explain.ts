import { explain as explainOptions, type ExplainOptions } from '@sendonce/bullmq';
import type { Command } from '../command.ts';
import { readText } from '../config-file.ts';
import { parseJson, toJson } from '../json.ts';
import { exitCodeFor, renderFinding } from '../findings.ts';
import { wrap } from '../wrap.ts';
import { stripControls, type Terminal } from '../terminal.ts';

export const explain: Command = {
  name: 'explain',
  argument: { name: '[file]', help: 'JSON, or - for stdin. Without it, the defaults' },
  summary: 'what a configuration promises, and until when',
  details: `The JSON: { "once": { "dispatch": "at-send" }, "job": { "attempts": 5 }, "worker": { … }, "sendTimeoutMs": 30000 }. Exit code 1 for an error or a warning.`,
  async run({ words, json }, terminal) {
    const explanation = explainOptions(await readOptions(words[0], terminal));
    const { sentences, warnings, assumed } = explanation;
    if (json) terminal.out(toJson(explanation));
    else {
      const { paint } = terminal;
      const lines = [
        ...sentences.map(stripControls),
        ...warnings.map((finding) => renderFinding(finding, paint)),
      ];
      const defaults = assumed.map(
        ({ option, value }) => `${option} ${stripControls(String(value))}`,
      );
      if (defaults.length > 0) lines.push(paint.dim(`Defaults: ${defaults.join(', ')}`));
      terminal.out(wrap(lines.join('\n\n'), terminal));
    }
    return exitCodeFor(warnings);
  },
};

async function readOptions(file: string | undefined, terminal: Terminal): Promise<ExplainOptions> {
  if (file === undefined) return {};
  const text = file === '-' ? await terminal.readInput() : readText(file);
  return parseJson(text, file) as ExplainOptions;
}
