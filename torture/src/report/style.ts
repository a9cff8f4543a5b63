/** The style of the page; light and dark by the reader's own setting. */
export const style = `
:root {
  color-scheme: light dark;
  --page: #ffffff; --text: #1d2329; --soft: #5a6570; --line: #d9dfe5; --card: #f6f8fa;
  --step: #0a5fb0; --good: #0f7b3e; --bad: #c4232e; --doubt: #95630a;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #14181c; --text: #e4e9ee; --soft: #9aa7b4; --line: #303942; --card: #1b2127;
    --step: #6db3f8; --good: #4fce84; --bad: #ff7a7d; --doubt: #e9b44c;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; max-width: 1080px; padding: 24px 16px 64px;
  background: var(--page); color: var(--text);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif;
}
h1 { font-size: 1.7rem; line-height: 1.2; }
h2 { font-size: 1.25rem; margin: 40px 0 4px; }
p { max-width: 72ch; margin: 4px 0 12px; }
.soft { color: var(--soft); }
code, pre { font-family: ui-monospace, Menlo, Consolas, monospace; font-size: 0.82rem; }
code { overflow-wrap: anywhere; }
pre { overflow-x: auto; }
table { border-collapse: collapse; margin: 16px 0; font-variant-numeric: tabular-nums; }
th, td { padding: 5px 12px; border-bottom: 1px solid var(--line); text-align: right; }
th:first-child { text-align: left; }
tbody th { font-weight: 400; }
.good { color: var(--good); }
.bad { color: var(--bad); font-weight: 700; }
.doubt { color: var(--doubt); }
figure { margin: 20px 0; padding: 12px; background: var(--card); border: 1px solid var(--line); border-radius: 8px; }
svg { display: block; width: 100%; height: auto; margin-top: 8px; }
svg text { font: 11px system-ui, sans-serif; fill: var(--soft); }
svg .lane { text-anchor: end; }
svg .tick { text-anchor: middle; }
svg .base { stroke: var(--line); }
svg circle { stroke: var(--card); stroke-width: 1.5; fill: var(--step); }
svg circle.email { fill: var(--good); }
svg circle.fault { fill: var(--bad); }
svg circle.threw { fill: var(--doubt); }
svg circle.dispatched { fill: var(--card); stroke: var(--step); stroke-width: 2.5; }
`;
