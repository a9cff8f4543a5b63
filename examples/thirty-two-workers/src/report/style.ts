/** The style of the demo's page, beside the one that all pages share. */
export const style = `
:root {
  --run: #c9d8ea; --wait: #e6e1d3; --pause: #e3d3ee; --ink: #39434d;
}
@media (prefers-color-scheme: dark) {
  :root {
    --run: #2e4664; --wait: #443f2f; --pause: #49355a; --ink: #c3ccd5;
  }
}
a { color: inherit; text-decoration-color: var(--line); text-underline-offset: 3px; }
a:hover { text-decoration-color: currentColor; }
th { font-weight: 600; }
thead th { font-size: 0.86rem; line-height: 1.25; vertical-align: bottom; }
tbody th { white-space: nowrap; }
td span { white-space: nowrap; }
td a { text-decoration: none; }
td small { display: block; white-space: nowrap; }
.tall { display: none; }
.grid-of-figures {
  display: grid; gap: 16px;
  grid-template-columns: repeat(auto-fill, minmax(min(100%, 370px), 1fr));
}
figure {
  margin: 0; padding: 10px 10px 6px; break-inside: avoid;
}
figure:target { border-color: var(--blue); box-shadow: 0 0 0 2px var(--blue); }
figcaption { display: flex; justify-content: space-between; gap: 8px; padding: 0 2px 8px; font-weight: 600; }
figcaption span:last-child { text-align: right; }
svg text { font-size: 10.5px; }
svg .grid { stroke: var(--line); stroke-width: 0.7; }

svg .bar.run { fill: var(--run); }
svg .bar.wait { fill: var(--wait); stroke: var(--soft); stroke-width: 0.4; }
svg .bar.frozen, svg .bar.blocked { fill: var(--pause); stroke: var(--ink); stroke-width: 0.7; }
svg .bar.blocked { stroke-dasharray: 4 2; }
svg .mark { fill: none; stroke: var(--ink); stroke-width: 1.7; stroke-linecap: round; stroke-linejoin: round; }
svg .claim { fill: var(--blue); stroke: var(--blue); stroke-width: 1; }
svg .dispatch { stroke: var(--blue); stroke-width: 2.4; }
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
