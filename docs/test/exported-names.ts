import { readFileSync } from 'node:fs';
import ts from 'typescript';

/** The names that a module exports, as its own text lists them: typedoc is not asked. */
export function namesExportedBy(file: string): string[] {
  const source = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.ES2023);
  const names = source.statements.flatMap((statement) => {
    if (!ts.isExportDeclaration(statement)) return declaredBy(statement);
    const { exportClause } = statement;
    if (!exportClause || !ts.isNamedExports(exportClause))
      throw new Error(`${file} has an \`export *\`: list the names.`);
    return exportClause.elements.map(({ name }) => name.text);
  });
  return [...new Set(names)];
}

function declaredBy(statement: ts.Statement): string[] {
  if (!ts.canHaveModifiers(statement)) return [];
  const exported = ts
    .getModifiers(statement)
    ?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword);
  if (!exported) return [];
  if (ts.isVariableStatement(statement))
    return statement.declarationList.declarations.map(({ name }) => (name as ts.Identifier).text);
  const { name } = statement as ts.FunctionDeclaration;
  return name ? [name.text] : [];
}
