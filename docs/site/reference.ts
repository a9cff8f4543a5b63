import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  Application,
  Comment,
  type CommentDisplayPart,
  CommentTag,
  type DeclarationReflection,
  type ProjectReflection,
  type Reflection,
  ReflectionKind,
  type TypeDocOptions,
} from 'typedoc';
import type { PluginOptions } from 'typedoc-plugin-markdown';
import { type EntryPoint, entryPoints } from './entry-points.ts';
import { docs } from './pages.ts';
import { root, sourceUrl } from './repository.ts';

/** An export of a published package, as the reference shows it. */
export interface DocumentedExport {
  readonly specifier: string;
  readonly name: string;
  /** Its source, such as `packages/core/src/errors.ts:49`. */
  readonly source: string;
  /** Whether it has a doc comment. */
  readonly described: boolean;
  /** Whether its comment, or that of a member, has an example or a link. */
  readonly leadsOn: boolean;
  /** Its members that have no doc comment, such as `packages/core/src/errors.ts:50 code`. */
  readonly bareMembers: readonly string[];
}

const api = join(docs, 'api');
/** What the last run has found; read by the test. */
export const exportsFile = join(api, 'exports.json');

/** Writes `docs/api/`: a page for every public export, from the doc comments. */
export async function writeReference(): Promise<void> {
  rmSync(api, { recursive: true, force: true });
  const points = entryPoints().toSorted((a, b) => rank(a) - rank(b));
  const options: Partial<TypeDocOptions & PluginOptions> = {
    name: 'API reference',
    entryPoints: points.map(({ source }) => join(root, source)),
    // An export is documented where it is defined: core comes before those that re-export from it.
    sortEntryPoints: false,
    tsconfig: join(docs, 'site/tsconfig.json'),
    // `pnpm typecheck` finds the errors.
    skipErrorChecking: true,
    plugin: ['typedoc-plugin-markdown', 'typedoc-vitepress-theme'],
    out: api,
    readme: 'none',
    basePath: root,
    disableGit: true,
    sourceLinkTemplate: sourceUrl('packages/{path}#L{line}'),
    excludeInternal: true,
    excludePrivate: true,
    // What an error inherits from Error, and a worker from BullMQ's.
    excludeExternals: true,
    preservedTypeAnnotationTags: ['@throws'],
    logLevel: 'Warn',
    useCodeBlocks: true,
    hideBreadcrumbs: true,
    hidePageHeader: true,
    parametersFormat: 'table',
    indexFormat: 'table',
    // @ts-expect-error An option of typedoc-vitepress-theme, whose types do not say so.
    docsRoot: docs,
  };
  const app = await Application.bootstrapWithPlugins(options);
  const project = await app.convert();
  if (!project) throw new Error('typedoc could not read the packages.');
  nameModules(project, points);
  const exported = project.children!.flatMap((module) => module.children ?? []);
  addUsers(app, exported);
  linkNames(project, exported);
  await app.generateOutputs(project);
  if (app.logger.hasErrors() || !existsSync(join(api, 'index.md')))
    throw new Error('typedoc could not write the reference.');
  const found = project.children!.flatMap((module) =>
    (module.children ?? []).map((reflection) => describeExport(module.name, reflection)),
  );
  writeFileSync(exportsFile, JSON.stringify(found, null, 2));
}

const order = ['core', 'bullmq', 'mail', 'providers', 'redis', 'redlock', 'postgres'];

function rank({ folder }: EntryPoint): number {
  const index = order.indexOf(folder);
  return index === -1 ? order.length : index;
}

/** Gives the modules the names that a user imports, in place of their paths. */
function nameModules(project: ProjectReflection, points: readonly EntryPoint[]): void {
  for (const module of project.children ?? []) {
    const file = module.sources?.[0]?.fileName;
    const point = points.find(({ source }) => source === file);
    if (!point) throw new Error(`typedoc calls a module ${module.name}, of ${file}.`);
    module.name = point.specifier;
    module.comment ??= new Comment([{ kind: 'text', text: point.description }]);
  }
}

/**
 * Makes links of the names that comments only mention: `` `InDoubtError` ``, `` `skipEmail()` ``,
 * and the class of a `@throws {InDoubtError}`, which typedoc would drop.
 */
function linkNames(project: ProjectReflection, exported: readonly DeclarationReflection[]): void {
  const targets = new Map<string, Reflection>();
  for (const reflection of exported) {
    if (!reflection.isReference() && !targets.has(reflection.name))
      targets.set(reflection.name, reflection);
  }
  const link = (text: string, self: Reflection | undefined): CommentDisplayPart | undefined => {
    const target = targets.get(/^`?(\w+)(?:\(\))?`?$/.exec(text)?.[1] ?? '');
    if (!target || target === self) return undefined;
    return {
      kind: 'inline-tag',
      tag: text.startsWith('`') ? '@linkcode' : '@link',
      text: text.replaceAll('`', ''),
      target,
    };
  };
  for (const reflection of Object.values(project.reflections)) {
    const { comment } = reflection;
    if (!comment) continue;
    const self = exported.find((other) => other === reflection || other === reflection.parent);
    const withLinks = (part: CommentDisplayPart) =>
      part.kind === 'code' ? (link(part.text, self) ?? part) : part;
    comment.summary = comment.summary.map(withLinks);
    for (const tag of comment.blockTags) {
      if (tag.tag === '@example') continue;
      tag.content = [...thrown(tag, link), ...tag.content.map(withLinks)];
    }
    joinThrows(comment);
  }
}

function thrown(
  { typeAnnotation }: CommentTag,
  link: (text: string, self: undefined) => CommentDisplayPart | undefined,
): CommentDisplayPart[] {
  if (typeAnnotation === undefined) return [];
  const name = typeAnnotation.replaceAll(/[{}]/g, '');
  return [
    link(name, undefined) ?? { kind: 'code', text: `\`${name}\`` },
    { kind: 'text', text: ' ' },
  ];
}

/**
 * Ends the page of a type with the exports that take or return it, and that of an error with those
 * that throw it: a reader who comes from a search finds out where it is used.
 */
function addUsers(app: Application, exported: readonly DeclarationReflection[]): void {
  const users = new Map<Reflection, Set<Reflection>>();
  const declared = exported.filter((reflection) => !reflection.isReference());
  const targets = new Map<number | string, Reflection>(
    declared.flatMap((reflection) => [
      [reflection.id, reflection],
      [`{${reflection.name}}`, reflection],
    ]),
  );
  for (const user of declared) {
    visit(app.serializer.toObject(user), (node) => {
      const named = node['type'] === 'reference' ? node['target'] : node['typeAnnotation'];
      const target = targets.get(named as number | string);
      if (target === undefined || target === user) return;
      users.set(target, (users.get(target) ?? new Set()).add(user));
    });
  }
  for (const [target, names] of users) {
    const parts = [...names].flatMap((user, index): CommentDisplayPart[] => [
      { kind: 'text', text: index === 0 ? '' : ', ' },
      { kind: 'inline-tag', tag: '@linkcode', text: user.name, target: user },
    ]);
    const [commented] = commentedBy(target as DeclarationReflection);
    commented!.comment ??= new Comment();
    commented!.comment.blockTags.push(new CommentTag('@usedBy', parts));
  }
}

/** The page says these in a part that typedoc writes. */
const inheritance = new Set(['extendedBy', 'inheritedFrom', 'overwrites']);

function visit(node: unknown, look: (node: Record<string, unknown>) => void): void {
  if (typeof node !== 'object' || node === null) return;
  look(node as Record<string, unknown>);
  for (const [name, inner] of Object.entries(node)) {
    if (!inheritance.has(name)) visit(inner, look);
  }
}

/** One list in place of a heading for each. */
function joinThrows(comment: Comment): void {
  const [first, ...others] = comment.blockTags.filter(({ tag }) => tag === '@throws');
  if (!first || others.length === 0) return;
  const item: CommentDisplayPart = { kind: 'text', text: '\n- ' };
  first.content = [first, ...others].flatMap(({ content }) => [item, ...content]);
  comment.blockTags = comment.blockTags.filter((tag) => !others.includes(tag));
}

function describeExport(specifier: string, reflection: DeclarationReflection): DocumentedExport {
  const target = reflection.isReference() ? reflection.getTargetReflectionDeep() : reflection;
  const { name } = reflection;
  const declared = target as DeclarationReflection;
  const members = membersOf(declared);
  return {
    specifier,
    name,
    source: place(declared),
    described: commentsOf(declared).some(saysSomething),
    leadsOn: [declared, ...members].some((one) => commentsOf(one).some(hasExampleOrLink)),
    bareMembers: members
      .filter((member) => !commentsOf(member).some(saysSomething))
      .map((member) => `${place(member)} ${member.name}`),
  };
}

/**
 * The members that the declaration itself brings: those that it inherits are described elsewhere.
 */
function membersOf(reflection: DeclarationReflection): DeclarationReflection[] {
  const kinds = [ReflectionKind.Property, ReflectionKind.Method, ReflectionKind.Accessor];
  const type = reflection.type?.type === 'reflection' ? reflection.type.declaration : undefined;
  return (reflection.children ?? type?.children ?? []).filter(
    (member) =>
      kinds.includes(member.kind) &&
      !member.inheritedFrom &&
      // The name of an error is its class.
      !(reflection.kindOf(ReflectionKind.Class) && member.name === 'name') &&
      member.sources?.[0]?.fileName.startsWith('packages/'),
  );
}

function commentsOf(reflection: DeclarationReflection): Comment[] {
  return commentedBy(reflection).flatMap(({ comment }) => (comment ? [comment] : []));
}

/** What carries the comment of a declaration: its signatures if it is a function, else itself. */
function commentedBy(reflection: DeclarationReflection): Reflection[] {
  const type = reflection.type?.type === 'reflection' ? reflection.type.declaration : undefined;
  return [
    ...(reflection.signatures ?? []),
    reflection,
    ...(reflection.getSignature ? [reflection.getSignature] : []),
    ...(type?.signatures ?? []),
  ];
}

function partsOf({ summary, blockTags }: Comment): CommentDisplayPart[] {
  return [...summary, ...blockTags.flatMap(({ content }) => content)];
}

function saysSomething({ summary, blockTags }: Comment): boolean {
  return summary.length > 0 || blockTags.some(({ tag }) => tag !== '@usedBy');
}

function hasExampleOrLink(comment: Comment): boolean {
  return (
    comment.blockTags.some(({ tag }) => tag === '@example') ||
    partsOf(comment).some(
      ({ kind, text }) => kind === 'inline-tag' || kind === 'relative-link' || text.includes(']('),
    )
  );
}

function place(reflection: DeclarationReflection): string {
  const source = reflection.sources?.[0];
  return source ? `${source.fileName}:${source.line}` : '';
}
