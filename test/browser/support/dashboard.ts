import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll, expect } from 'vitest';
import { launchChromium } from './launch-chromium.ts';
import { type LocalHost, startLocalHost } from './local-host.ts';

/** A page of the dashboard, with its requests and faults. */
export interface DashboardPage {
  readonly page: Page;
  /** The addresses of all requests. */
  readonly requested: readonly string[];
  /** Violations of the content security policy, and uncaught errors. */
  readonly faults: readonly string[];
}

/** The local host and a browser, for the tests of one file. */
export function useDashboard() {
  let host: LocalHost | undefined;
  let browser: Browser | undefined;
  const pages: DashboardPage[] = [];

  beforeAll(async () => {
    [host, browser] = await Promise.all([startLocalHost(), launchChromium()]);
  });
  afterAll(async () => {
    await browser?.close();
    await host?.remove();
    expect(pages.flatMap(({ faults }) => faults)).toEqual([]);
  });

  return {
    host: (): LocalHost => {
      if (host === undefined) throw new Error('The local host runs only while tests do');
      return host;
    },
    browser: (): Browser => {
      if (browser === undefined) throw new Error('The browser runs only while tests do');
      return browser;
    },
    /** Opens the address in a browser profile of its own. With `clock`, the page's clock can be moved. */
    open: async (
      address: string,
      { clock = false, ...options }: BrowserContextOptions & { readonly clock?: boolean } = {},
    ): Promise<DashboardPage> => {
      if (browser === undefined) throw new Error('The browser runs only while tests do');
      const context = await browser.newContext({ viewport: { width: 1280, height: 860 }, ...options });
      const page = await context.newPage();
      if (clock) await page.clock.install();
      page.setDefaultTimeout(15_000);
      const requested: string[] = [];
      const faults: string[] = [];
      page.on('request', (request) => requested.push(request.url()));
      page.on('pageerror', (error) => faults.push(String(error)));
      page.on('console', (message) => {
        if (message.text().includes('Content Security Policy')) faults.push(message.text());
      });
      const opened = { page, requested, faults };
      pages.push(opened);
      await page.goto(address);
      return opened;
    },
  };
}
