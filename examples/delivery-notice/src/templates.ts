import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import Handlebars from 'handlebars';
import { NoticeRefused } from './errors.ts';

/** What the templates may use. */
export interface View {
  readonly orderId: string;
  readonly name: string;
  readonly items: readonly string[];
  /** `Friday, 4 December` */
  readonly day: string;
  /** `today`, `tomorrow`, `on Friday, 4 December` */
  readonly when: string;
}

type Render = (view: View) => string;

export type Templates = Readonly<Record<'subject' | 'text' | 'html', Render>>;

/**
 * Reads `subject.mustache`, `text.mustache` and `html.mustache`. @throws {Error} for one that
 * cannot be parsed.
 */
export async function loadTemplates(folder: string): Promise<Templates> {
  const load = async (name: string, isHtml = false) =>
    compile(name, await readFile(join(folder, `${name}.mustache`), 'utf8'), isHtml);
  const [subject, text, html] = await Promise.all([
    load('subject'),
    load('text'),
    load('html', true),
  ]);
  return { subject, text, html };
}

function compile(name: string, source: string, isHtml: boolean): Render {
  Handlebars.parse(source);
  // Strict: a name that is missing is an error, and not an empty place in a customer's email.
  const render = Handlebars.compile<View>(source, { strict: true, noEscape: !isHtml });
  return (view) => {
    try {
      return render(view);
    } catch (error) {
      // Handlebars quotes what it was given: its message goes nowhere.
      const { lineNumber } = error as { lineNumber?: number };
      const where = lineNumber === undefined ? '' : `, line ${lineNumber}`;
      throw new NoticeRefused('template', `The template ${name}.mustache fails${where}.`);
    }
  };
}
