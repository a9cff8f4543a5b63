// Draws the states of an email and who moves them, for README.md and docs/concepts.md:
// docs/protocol-light.svg and docs/protocol-dark.svg.
// Run it after a change: npx tsx docs/pictures/draw-protocol.ts
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Who or what changes the state: the colour of an arrow. */
type Mover = 'worker' | 'time' | 'you';

export type Theme = keyof typeof themes;

const themes = {
  light: {
    text: '#1f2328',
    muted: '#59636e',
    box: '#ffffff',
    border: '#818b98',
    worker: '#0969da',
    time: '#59636e',
    you: '#bc4c00',
    good: { fill: '#dafbe1', border: '#1a7f37' },
    bad: { fill: '#ffebe9', border: '#cf222e' },
    doubt: { fill: '#fff1e5', border: '#bc4c00' },
  },
  dark: {
    text: '#f0f6fc',
    muted: '#9198a1',
    box: '#0d1117',
    border: '#9198a1',
    worker: '#4493f8',
    time: '#9198a1',
    you: '#f0883e',
    good: { fill: '#12261e', border: '#3fb950' },
    bad: { fill: '#2d1618', border: '#f85149' },
    doubt: { fill: '#2e1f12', border: '#f0883e' },
  },
} as const;

interface Box {
  readonly x: number;
  readonly y: number;
  readonly name: string;
  /** What the state means, in a few words below the box's name. */
  readonly meaning: string;
  readonly look?: 'good' | 'bad' | 'doubt';
}

const boxWidth = 158;
const boxHeight = 56;

const boxes: readonly Box[] = [
  { x: 20, y: 170, name: 'absent', meaning: 'no record' },
  { x: 300, y: 170, name: 'claimed', meaning: 'held for one lease' },
  { x: 580, y: 170, name: 'dispatched', meaning: 'may have been sent' },
  { x: 860, y: 110, name: 'sent', meaning: 'copies do not send', look: 'good' },
  { x: 860, y: 230, name: 'rejected', meaning: 'refused permanently', look: 'bad' },
  { x: 580, y: 390, name: 'in doubt', meaning: 'listed for you', look: 'doubt' },
  { x: 20, y: 30, name: 'cancelled', meaning: 'no copy sends' },
  { x: 300, y: 30, name: 'skipped', meaning: 'decided not to send' },
];

interface Arrow {
  readonly path: string;
  readonly mover: Mover;
  readonly label: string;
  /** The middle of the first line of the label. */
  readonly at: readonly [x: number, y: number];
}

const arrows: readonly Arrow[] = [
  { path: 'M178 188 H294', mover: 'worker', label: 'claim', at: [236, 180] },
  { path: 'M300 204 H184', mover: 'time', label: 'lease over', at: [240, 222] },
  { path: 'M458 198 H574', mover: 'worker', label: 'dispatch', at: [516, 190] },
  { path: 'M738 186 C800 186 800 138 854 138', mover: 'worker', label: 'settle', at: [776, 150] },
  { path: 'M738 204 C800 204 800 258 854 258', mover: 'worker', label: 'settle', at: [772, 252] },
  {
    path: 'M340 226 C330 268 160 268 136 232',
    mover: 'worker',
    label: 'release',
    at: [238, 276],
  },
  {
    path: 'M600 226 C580 330 140 340 106 232',
    mover: 'worker',
    label: 'release: not sent',
    at: [372, 330],
  },
  {
    path: 'M646 226 V384',
    mover: 'time',
    label: 'no sign of life\nfor two leases',
    at: [588, 334],
  },
  {
    path: 'M676 226 V384',
    mover: 'worker',
    label: 'settle: an error that leaves\nthe outcome unknown',
    at: [778, 326],
  },
  { path: 'M738 418 H1070 V138 H1024', mover: 'you', label: 'resolve: sent', at: [910, 410] },
  { path: 'M580 418 H56 V232', mover: 'you', label: 'resolve: not sent', at: [320, 410] },
  { path: 'M99 170 V92', mover: 'you', label: 'cancel', at: [70, 134] },
  { path: 'M316 170 L184 80', mover: 'you', label: 'cancel', at: [222, 138] },
  { path: 'M300 58 H184', mover: 'you', label: 'cancel', at: [240, 50] },
  { path: 'M364 170 V92', mover: 'worker', label: 'skip', at: [344, 134] },
  { path: 'M394 86 V164', mover: 'worker', label: 'claim', at: [418, 134] },
];

const legend: readonly (readonly [Mover, string])[] = [
  ['worker', 'an attempt of your worker'],
  ['time', 'time passes'],
  ['you', 'you, your app or your provider'],
];

export function drawProtocol(theme: Theme): string {
  const colours = themes[theme];
  const width = 1100;
  const height = 540;
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="title description" font-family="-apple-system, 'Segoe UI', 'Noto Sans', Helvetica, Arial, sans-serif">`,
    '<title id="title">The states of an email, and who moves it</title>',
    '<desc id="description">A worker claims the email, dispatches it, and settles it as sent or rejected. Before the dispatch it gives the claim back when the lease is over. After the dispatch an email without an outcome is in doubt, and is resolved as sent or not sent.</desc>',
    '<defs>',
    ...legend.map(
      ([mover]) =>
        `<marker id="${mover}" viewBox="0 0 10 10" refX="8" refY="5" markerWidth="7" markerHeight="7" orient="auto-start-reverse"><path d="M0 0 L10 5 L0 10 z" fill="${colours[mover]}"/></marker>`,
    ),
    '</defs>',
    // Readable on any page: a site may be dark where the system is light.
    `<rect width="${width}" height="${height}" rx="12" fill="${colours.box}"/>`,
    ...arrows.map((arrow) => drawArrow(arrow, theme)),
    ...boxes.map((box) => drawBox(box, theme)),
    `<text x="20" y="520" font-size="15" fill="${colours.muted}">Sent, rejected, skipped and cancelled are kept for the retention (7 days by default); then the email is absent again.</text>`,
    ...legend.map(([mover, text], index) => {
      const x = 20 + index * 300;
      const dash = mover === 'time' ? ' stroke-dasharray="6 5"' : '';
      return `<path d="M${x} 482 h36" stroke="${colours[mover]}" stroke-width="2"${dash} marker-end="url(#${mover})"/><text x="${x + 48}" y="487" font-size="15" fill="${colours.text}">${text}</text>`;
    }),
    '</svg>',
  ];
  return `${parts.join('\n')}\n`;
}

function drawBox({ x, y, name, meaning, look }: Box, theme: Theme): string {
  const colours = themes[theme];
  const { fill, border } = look ? colours[look] : { fill: colours.box, border: colours.border };
  const middle = x + boxWidth / 2;
  return (
    `<rect x="${x}" y="${y}" width="${boxWidth}" height="${boxHeight}" rx="8" fill="${fill}" stroke="${border}" stroke-width="2"/>` +
    `<text x="${middle}" y="${y + 25}" text-anchor="middle" font-size="18" font-weight="600" fill="${colours.text}">${name}</text>` +
    `<text x="${middle}" y="${y + 45}" text-anchor="middle" font-size="14" fill="${colours.muted}">${meaning}</text>`
  );
}

function drawArrow({ path, mover, label, at: [x, y] }: Arrow, theme: Theme): string {
  const colour = themes[theme][mover];
  const dash = mover === 'time' ? ' stroke-dasharray="6 5"' : '';
  const lines = label
    .split('\n')
    .map((line, index) => `<tspan x="${x}" dy="${index === 0 ? 0 : 18}">${line}</tspan>`);
  return (
    `<path d="${path}" fill="none" stroke="${colour}" stroke-width="2"${dash} marker-end="url(#${mover})"/>` +
    `<text x="${x}" y="${y}" text-anchor="middle" font-size="15" fill="${colour}">${lines.join('')}</text>`
  );
}

export const pictureFile = (theme: Theme) =>
  fileURLToPath(new URL(`../protocol-${theme}.svg`, import.meta.url));

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const theme of ['light', 'dark'] as const) {
    writeFileSync(pictureFile(theme), drawProtocol(theme));
  }
}
