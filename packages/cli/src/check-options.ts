import type { Command as Parser, Option } from 'commander';
import { UsageError } from './terminal.ts';

/**
 * Refuses what commander would take or misread: the next option as a value, an empty value, and a
 * value of an option that takes none.
 *
 * @throws {UsageError} that shows a value only if it is the name of an option: others may be secret
 */
export function checkOptions(parser: Parser, argv: readonly string[]): void {
  let options: readonly Option[] = parser.options;
  for (let index = 0; index < argv.length && argv[index] !== '--'; index += 1) {
    const word = argv[index]!;
    const command = parser.commands.find((one) => one.name() === word);
    if (command && options === parser.options) options = [...options, ...command.options];
    const name = word.split('=', 1)[0]!;
    const isInline = word !== name;
    const option = options.find(({ long }) => long === name);
    if (!option?.required) {
      if (!isInline || !(option || name === '--help')) continue;
      throw new UsageError(`Option ${name} takes no value.`);
    }
    const value = isInline ? word.slice(name.length + 1) : argv[(index += 1)];
    if (value === '') {
      throw new UsageError(
        `Option ${name} has an empty value. If a variable of your shell should be there, check that it is set.`,
      );
    }
    if (!isInline && value !== undefined && /^-./s.test(value)) {
      throw new UsageError(describeNextWord(name, value, options));
    }
  }
}

function describeNextWord(name: string, value: string, options: readonly Option[]): string {
  const isOption = options.some(({ long, short }) => value === long || value === short);
  if (isOption || value === '--help' || value === '-h') {
    return `Option ${name} got "${value}" as its value. If you mean this text, write ${name}=${value}.`;
  }
  return `Option ${name} got a value that begins with "-". If you mean this text, write ${name}=….`;
}
