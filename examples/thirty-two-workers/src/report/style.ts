/** The style of the page; light and dark by the reader's own setting. */
export const style = `
:root {
  color-scheme: light dark;
  --page: #ffffff; --text: #1d2329; --soft: #5a6570; --line: #d9dfe5; --card: #f6f8fa;
  --run: #c9d8ea; --wait: #e6e1d3; --pause: #e3d3ee;
  --claim: #0a5fb0; --good: #0f7b3e; --bad: #c4232e; --doubt: #95630a; --ink: #39434d;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #14181c; --text: #e4e9ee; --soft: #9aa7b4; --line: #303942; --card: #1b2127;
    --run: #2e4664; --wait: #443f2f; --pause: #49355a;
    --claim: #6db3f8; --good: #4fce84; --bad: #ff7a7d; --doubt: #e9b44c; --ink: #c3ccd5;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; max-width: 1320px; padding: 24px 16px 64px;
  background: var(--page); color: var(--text);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif;
}
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 8px; }
h2 { font-size: 1.25rem; margin: 40px 0 4px; }
p { max-width: 72ch; margin: 4px 0 12px; }
.soft { color: var(--soft); }
code { font-family: ui-monospace, Menlo, Consolas, monospace; font-size: 0.88em; overflow-wrap: anywhere; }
a { color: inherit; text-decoration-color: var(--line); text-underline-offset: 3px; }
a:hover { text-decoration-color: currentColor; }
table { border-collapse: collapse; margin: 16px 0; font-variant-numeric: tabular-nums; }
th, td { padding: 6px 12px; border-bottom: 1px solid var(--line); vertical-align: top; }
th { text-align: left; font-weight: 600; }
thead th { font-size: 0.86rem; line-height: 1.25; vertical-align: bottom; }
tbody th { white-space: nowrap; }
td span { white-space: nowrap; }
thead th + th, td { text-align: right; }
td a { text-decoration: none; }
td small { display: block; white-space: nowrap; }
.tall { display: none; }
.good { color: var(--good); }
.bad { color: var(--bad); font-weight: 700; }
.doubt { color: var(--doubt); font-weight: 400; }
.grid-of-figures {
  display: grid; gap: 16px;
  grid-template-columns: repeat(auto-fill, minmax(min(100%, 370px), 1fr));
}
figure {
  margin: 0; padding: 10px 10px 6px; background: var(--card);
  border: 1px solid var(--line); border-radius: 8px; break-inside: avoid;
}
figure:target { border-color: var(--claim); box-shadow: 0 0 0 2px var(--claim); }
figcaption { display: flex; justify-content: space-between; gap: 8px; padding: 0 2px 8px; font-weight: 600; }
figcaption span:last-child { text-align: right; }
svg { display: block; width: 100%; height: auto; }
svg text { font: 10.5px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; fill: var(--soft); }
svg .lane { text-anchor: end; }
svg .tick { text-anchor: middle; }
svg .grid { stroke: var(--line); stroke-width: 0.7; }
svg .base { stroke: var(--line); stroke-width: 1; }
svg .bar.run { fill: var(--run); }
svg .bar.wait { fill: var(--wait); stroke: var(--soft); stroke-width: 0.4; }
svg .bar.frozen, svg .bar.blocked { fill: var(--pause); stroke: var(--ink); stroke-width: 0.7; }
svg .bar.blocked { stroke-dasharray: 4 2; }
svg .mark { fill: none; stroke: var(--ink); stroke-width: 1.7; stroke-linecap: round; stroke-linejoin: round; }
svg .claim { fill: var(--claim); stroke: var(--claim); stroke-width: 1; }
svg .dispatch { stroke: var(--claim); stroke-width: 2.4; }
svg .busy { fill: var(--card); stroke: var(--ink); stroke-width: 1.3; }
svg .already-sent { stroke-width: 2; }
svg .email { fill: var(--card); stroke: var(--good); stroke-width: 1.5; }
svg .email.again { stroke: var(--card); fill: var(--bad); stroke-width: 1; }
svg .kill, svg .cut { stroke: var(--bad); stroke-width: 2.2; }
svg .lost { stroke-width: 1.3; fill: var(--card); }
svg .restart { fill: var(--card); stroke-width: 1.2; }
svg circle.in-doubt { fill: var(--card); stroke: var(--doubt); }
svg circle.error { fill: var(--card); stroke: var(--bad); stroke-width: 1.3; }
svg text.sign { font-size: 8.5px; font-weight: 700; text-anchor: middle; }
svg text.in-doubt { fill: var(--doubt); stroke: none; }
svg text.error { fill: var(--bad); stroke: none; }
.legend { display: flex; flex-wrap: wrap; gap: 4px 20px; padding: 0; margin: 8px 0; list-style: none; font-size: 0.88rem; }
.legend li { display: flex; align-items: center; gap: 7px; }
.legend svg { flex: none; width: 18px; height: 14px; }
.doubts { padding-left: 20px; }
.doubts li { margin-bottom: 10px; }
@media (max-width: 760px) {
  body { padding: 16px 10px 48px; }
  .wide { display: none; }
  .tall { display: table; width: 100%; }
  .tall th, .tall td { padding: 6px 4px; }
  .tall td { font-size: 0.92rem; }
  .tall thead th { font-size: 0.76rem; }
  .tall tbody th { white-space: normal; font-weight: 400; font-size: 0.88rem; line-height: 1.3; }
  .tall td small { white-space: normal; font-size: 0.72rem; line-height: 1.15; }
}
@media print { figure:target { box-shadow: none; } }
`;
