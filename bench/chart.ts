const WIDTH = 720;
const BAR = 26;
const LABEL = 210;

/** Horizontal bars as an SVG, readable on a light and a dark page. */
export function drawChart(bars: readonly { name: string; value: number }[]): string {
  const greatest = Math.max(...bars.map(({ value }) => value));
  const drawn = bars.map(({ name, value }, index) => {
    const y = index * (BAR + 10) + 6;
    const width = Math.max(1, (value / greatest) * (WIDTH - LABEL - 90));
    const text = Math.round(value).toLocaleString('en');
    return `  <text x="${LABEL - 10}" y="${y + 18}" text-anchor="end">${name}</text>
  <rect x="${LABEL}" y="${y}" width="${width.toFixed(1)}" height="${BAR}" rx="3" fill="${index === 0 ? '#4f46e5' : '#94a3b8'}"/>
  <text x="${(LABEL + width + 8).toFixed(1)}" y="${y + 18}">${text}</text>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${bars.length * (BAR + 10) + 6}" font-family="system-ui, sans-serif" font-size="14" fill="#64748b">
  <title>Requests a second, whole cycle of acquire, keep-alive and release, 64 connections</title>
${drawn.join('\n')}
</svg>
`;
}
