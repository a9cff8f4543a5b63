/** The style of the timelines, beside the one that all pages share. */
export const style = `
body { max-width: 1080px; }
tbody th { font-weight: 400; }
figure { margin: 20px 0; padding: 12px; }
figure svg { margin-top: 8px; }
svg circle { stroke: var(--card); stroke-width: 1.5; fill: var(--blue); }
svg circle.email { fill: var(--good); }
svg circle.fault { fill: var(--bad); }
svg circle.threw { fill: var(--doubt); }
svg circle.dispatched { fill: var(--card); stroke: var(--blue); stroke-width: 2.5; }
`;
