import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type AnyNode, type AwaitExpression, type Function as FunctionNode, parse } from 'acorn';
import { ancestor } from 'acorn-walk';
import { transformSync } from 'esbuild';
import MagicString from 'magic-string';
import { hook } from './runtime.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));
/** What runs between a job and its email: the wrapper, the peers, and the processor itself. */
const onTheWay =
  /^packages\/(core|bullmq|mail|providers|redis|redlock|postgres)\/src\/|^torture\/src\/(systems\/|worker\/notice)/;

/** Makes every await on the way a named point; collects the names. */
export function pointMaker() {
  const names = new Set<string>();

  /**
   * `await x` becomes `(point('before …'), point('after …', await x))`: evaluated in the same order
   * and in the same ticks. "after" is passed where it is fulfilled; a rejection comes to the next
   * await.
   */
  function rewrite(source: string, path: string): string {
    const file = relative(root, path);
    if (!onTheWay.test(file)) return source;
    const { code } = transformSync(source, { loader: 'ts', target: 'node20' });
    const text = new MagicString(code);
    const place = file.replace('packages/', '').replace('/src/', ' ').replace(/\.ts$/, '');
    ancestor(parse(code, { ecmaVersion: 'latest', sourceType: 'module' }), {
      AwaitExpression(node: AwaitExpression, _state: unknown, ancestors: AnyNode[]) {
        const awaited = code.slice(node.argument.start, node.argument.end).replace(/\s+/g, ' ');
        const what = awaited.length > 48 ? `${awaited.slice(0, 47)}…` : awaited;
        const name = unused(`${place}${functionOf(ancestors)}: ${what}`);
        const point = `globalThis.${hook}`;
        text.appendLeft(node.start, `(${point}(${JSON.stringify(`before ${name}`)}), `);
        text.appendLeft(node.start, `${point}(${JSON.stringify(`after ${name}`)}, `);
        text.prependRight(node.end, '))');
      },
    });
    return text.toString();
  }

  function unused(name: string): string {
    for (let count = 1; ; count += 1) {
      const numbered = count === 1 ? name : `${name} #${count}`;
      if (names.has(numbered)) continue;
      names.add(numbered);
      return numbered;
    }
  }

  return { rewrite, names };
}

/** The nearest function around an await that has a name. */
function functionOf(ancestors: readonly AnyNode[]): string {
  for (const [index, node] of [...ancestors.entries()].toReversed()) {
    if (!/Function/.test(node.type)) continue;
    const named = (node as FunctionNode).id?.name ?? nameOf(ancestors[index - 1]);
    if (named !== undefined) return ` ${named}()`;
  }
  return '';
}

function nameOf(holder: AnyNode | undefined): string | undefined {
  const key =
    holder?.type === 'VariableDeclarator'
      ? holder.id
      : holder?.type === 'Property' ||
          holder?.type === 'MethodDefinition' ||
          holder?.type === 'PropertyDefinition'
        ? holder.key
        : undefined;
  if (key?.type === 'PrivateIdentifier') return `#${key.name}`;
  return key?.type === 'Identifier' ? key.name : undefined;
}
