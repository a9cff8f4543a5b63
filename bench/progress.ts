import { type LineOutput, movingLine } from '@sendonce/testkit/moving-line';

/** Shows progress on stderr. */
export interface Progress {
  /** A step: on a terminal until the next one, elsewhere a line of the log. */
  readonly step: (text: string) => void;
  /** For the moment, on a terminal only. */
  readonly show: (text: string) => void;
  readonly clear: () => void;
}

export function createProgress(output: LineOutput): Progress {
  const { moves, show, clear } = movingLine(output);
  return {
    step: (text) => void (moves ? show(text) : output.write(`${text}\n`)),
    show,
    clear,
  };
}
