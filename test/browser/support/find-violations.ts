import axe from 'axe-core';
import type { Page } from 'playwright-core';

/** The violations that axe finds of WCAG 2.2 AA and of its best practices, and whether the page scrolls sideways. */
export async function findViolations(
  page: Page,
  impacts = ['moderate', 'serious', 'critical'],
): Promise<string[]> {
  // The debugger may run scripts that the content security policy would block.
  await page.evaluate(axe.source);
  await page.evaluate(finishAnimations);
  const violations = await page.evaluate(async () => {
    const { axe: injected } = window as unknown as { axe: typeof axe };
    return (await injected.run({ resultTypes: ['violations'] })).violations;
  });
  const found = violations
    .filter(({ impact }) => impacts.includes(impact ?? ''))
    .map(({ id, impact, nodes }) => `${impact} ${id}: ${nodes[0]?.html} ${nodes[0]?.failureSummary}`);
  return (await scrollsSideways(page)) ? [...found, 'scrolls sideways'] : found;
}

/** Text that is still fading in would count as too faint. */
function finishAnimations(): void {
  for (const animation of document.getAnimations()) {
    if (animation instanceof CSSAnimation && animation.animationName === 'appear') animation.finish();
  }
}

async function scrollsSideways(page: Page): Promise<boolean> {
  return page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth);
}
