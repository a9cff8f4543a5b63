import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type AnyNode, type Function as FunctionNode, parse } from 'acorn';
import { ancestor } from 'acorn-walk';
import { transformSync } from 'esbuild';
import MagicString from 'magic-string';

const core = fileURLToPath(new URL('../../../packages/core/src/', import.meta.url));

/** What the marked sources call at the start of each function, by its file and name. */
export const hook = '__sendonceFollow';

/** Makes every named function of core call the hook when it starts. */
export function markFunctions(source: string, path: string): string {
  const file = relative(core, path);
  if (file.startsWith('..')) return source;
  const { code } = transformSync(source, { loader: 'ts', target: 'node20' });
  const text = new MagicString(code);
  const visit = (node: FunctionNode, _state: unknown, ancestors: AnyNode[]) => {
    const name = nameOf(node, ancestors.at(-2), ancestors.at(-4));
    if (name === undefined) return;
    const call = `globalThis.${hook}?.(${JSON.stringify(file)}, ${JSON.stringify(name)})`;
    if (node.body.type === 'BlockStatement') {
      text.appendRight(afterSuper(node, code), `${call};`);
    } else {
      text.appendLeft(node.body.start, `(${call}, `);
      text.prependRight(node.body.end, ')');
    }
  };
  const program = parse(code, { ecmaVersion: 'latest', sourceType: 'module' });
  ancestor(program, {
    FunctionDeclaration: visit,
    FunctionExpression: visit,
    ArrowFunctionExpression: visit,
  });
  return text.toString();
}

function afterSuper(node: FunctionNode, code: string): number {
  const call = /super\([^;]*\);/.exec(code.slice(node.body.start, node.body.end));
  return node.body.start + (call ? call.index + call[0].length : 1);
}

function nameOf(
  node: FunctionNode,
  parent: AnyNode | undefined,
  owner: AnyNode | undefined,
): string | undefined {
  if (node.id) return `${node.id.name}()`;
  switch (parent?.type) {
    case 'VariableDeclarator':
      return parent.id.type === 'Identifier' ? `${parent.id.name}()` : undefined;
    case 'Property':
      return parent.key.type === 'Identifier' ? `${parent.key.name}()` : undefined;
    case 'MethodDefinition': {
      const name = parent.key.type === 'Identifier' ? parent.key.name : '?';
      const className = owner?.type === 'ClassDeclaration' ? owner.id?.name : '?';
      if (parent.kind === 'constructor') return `new ${className}()`;
      return `${className}.${name}${parent.kind === 'get' ? '' : '()'}`;
    }
    default:
      return undefined;
  }
}
