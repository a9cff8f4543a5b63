import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type DefaultTheme, defineConfig } from 'vitepress';
import { siteHref, siteHtml, slugify } from '../site/links.ts';
import { writeLlmsTexts } from '../site/llms.ts';
import { docs, type Page, sections } from '../site/pages.ts';
import { repository } from '../site/repository.ts';

const description =
  'An email is never sent twice and never dropped silently. If a crash makes it impossible to know whether an email was sent, sendonce lists it for you to resolve.';

// `/` on a domain that has nothing else, `/sendonce/` on GitHub Pages.
const base = process.env['SITE_BASE'] ?? '/';

export default defineConfig({
  title: 'sendonce',
  description,
  lang: 'en',
  base,
  head: [['link', { rel: 'icon', type: 'image/svg+xml', href: `${base}icon.svg` }]],
  // An example has a server on the reader's machine; every other dead link fails the build.
  ignoreDeadLinks: 'localhostLinks',
  srcExclude: ['node_modules/**'],
  rewrites: { 'decisions/README.md': 'decisions/index.md' },
  markdown: {
    // As GitHub reads the same files.
    anchor: { slugify },
    attrs: { disable: true },
    theme: { light: 'github-light-high-contrast', dark: 'github-dark-high-contrast' },
    config: (md) => {
      md.core.ruler.push('empty-header-cells', ({ tokens }) => unlabel(tokens));
      const { rules } = md.renderer;
      // Vue would read them as code.
      for (const name of ['text', 'code_inline'] as const) {
        const render = rules[name]!;
        rules[name] = (...args) => render(...args).replaceAll('{{', '&#123;&#123;');
      }
      for (const name of ['html_block', 'html_inline'] as const) {
        rules[name] = (tokens, index, _, { relativePath }) =>
          siteHtml(relativePath, tokens[index]!.content);
      }
      // Blocks that are indented in place of fenced.
      rules.code_block = (...args) => rules.fence!(...args);
      const openLink = rules['link_open']!;
      rules['link_open'] = (tokens, index, options, env, self) => {
        const token = tokens[index]!;
        token.attrSet('href', siteHref(env.relativePath, token.attrGet('href')!));
        return openLink(tokens, index, options, env, self);
      };
    },
  },
  themeConfig: {
    nav: [
      { text: 'Quickstart', link: '/quickstart' },
      { text: 'Guide', link: '/guide' },
      { text: 'Errors', link: '/errors/' },
      { text: 'API', link: '/api/' },
    ].filter(({ link }) => exists(link)),
    sidebar: { '/api/': [{ text: 'API reference', link: '/api/' }, ...reference()], '/': pages() },
    outline: [2, 3],
    search: {
      provider: 'local',
      options: {
        miniSearch: {
          // The reference has most of the pages: a search for a word finds the other pages first.
          searchOptions: { boostDocument: (id: string) => (id.includes('/api/') ? 0.2 : 1) },
        },
      },
    },
    socialLinks: [{ icon: 'github', link: repository }],
    externalLinkIcon: false,
  },
  buildEnd: ({ outDir, site }) => writeLlmsTexts(outDir, site.base, description),
});

/** A table with names in its first column has nothing above them: an empty cell, and no header. */
function unlabel(tokens: readonly { type: string; tag: string; content: string }[]): void {
  for (const [index, token] of tokens.entries()) {
    if (token.type !== 'th_open' || tokens[index + 1]!.content !== '') continue;
    token.tag = 'td';
    tokens[index + 2]!.tag = 'td';
  }
}

function exists(link: string): boolean {
  return existsSync(join(docs, link.endsWith('/') ? `${link}index.md` : `${link}.md`));
}

function pages(): DefaultTheme.SidebarItem[] {
  const items = sections().map(({ title, collapsed, pages: [first, ...others] }) => {
    const all = [first!, ...others];
    const item = (page: Page) => ({ text: page.title, link: `/${page.path}` });
    if (!collapsed) return { text: title, items: all.map(item) };
    // What opens and closes has a page: it is a link and a button, not a button in a button.
    return { text: title, link: `/${first!.path}`, collapsed, items: others.map(item) };
  });
  return [...items, { text: 'API reference', link: '/api/' }];
}

/**
 * What typedoc-vitepress-theme has written; `pnpm docs:dev` and `docs:build` call typedoc first.
 */
function reference(): DefaultTheme.SidebarItem[] {
  const file = join(docs, 'api/typedoc-sidebar.json');
  const modules = JSON.parse(readFileSync(file, 'utf8')) as DefaultTheme.SidebarItem[];
  return modules.map((module) => ({
    ...module,
    items: (module.items ?? []).map((kind) => ({
      ...kind,
      link: `${module.link}#${slugify(kind.text ?? '')}`,
    })),
  }));
}
