/**
 * The style of the picture, light and dark by the reader's own setting. Without custom properties,
 * which some that draw SVG do not know.
 */
export const style = `
text { font: 13px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; fill: #1d2329; }
.page { fill: #ffffff; }
.title { font-size: 17px; font-weight: 600; }
.panel { font-size: 14px; font-weight: 600; }
.soft { font-size: 11.5px; fill: #5a6570; }
.row { text-anchor: end; }
.tick { text-anchor: middle; }
.stripe { fill: #f6f8fa; }
.grid { stroke: #d9dfe5; stroke-width: 1; }
.bare { stroke: #1d2329; stroke-width: 1.6; }
.spread { stroke-width: 1.6; opacity: 0.45; }
.s0 { fill: #0a5fb0; stroke: #0a5fb0; }
.s1 { fill: #0f7b3e; stroke: #0f7b3e; }
.s2 { fill: #95630a; stroke: #95630a; }
.s3 { fill: #8a2f8f; stroke: #8a2f8f; }
@media (prefers-color-scheme: dark) {
  text { fill: #e4e9ee; }
  .page { fill: #14181c; }
  .soft { fill: #9aa7b4; }
  .stripe { fill: #1b2127; }
  .grid { stroke: #303942; }
  .bare { stroke: #e4e9ee; }
  .s0 { fill: #6db3f8; stroke: #6db3f8; }
  .s1 { fill: #4fce84; stroke: #4fce84; }
  .s2 { fill: #e9b44c; stroke: #e9b44c; }
  .s3 { fill: #d88fdd; stroke: #d88fdd; }
}
`;
