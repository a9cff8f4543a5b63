import { bars, parts, style } from './generated/assets.ts';

/** The only style sheet of the pages. */
export const stylesheet = style + parts + bars;
