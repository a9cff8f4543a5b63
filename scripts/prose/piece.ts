/** What a piece of prose is, which decides how it is counted and whether it has a width. */
export type Kind = 'markdown' | 'docstring' | 'comment' | 'string' | 'title';

/** A run of prose in a file. */
export interface Piece {
  readonly kind: Kind;
  /** The offset in the file. */
  readonly start: number;
  /**
   * The prose, as long as the source: markup is blanked and code is replaced by `CODE`, so that
   * an index in the text leads to the place in the file, and a phrase is found across lines.
   */
  readonly text: string;
  /**
   * Of Markdown: a paragraph has one sentence to a line, a heading or a cell of a table has not.
   */
  readonly isParagraph?: boolean;
}

/** Stands for one character of code, which no word of the list matches. */
export const CODE = '\uFFFC';

/** Spaces of the same length; line breaks are kept. */
export function blank(text: string): string {
  return text.replace(/[^\n]/g, ' ');
}

/** Hides code of the same length; line breaks are kept. */
export function hide(text: string): string {
  return text.replace(/[^\n]/g, CODE);
}
