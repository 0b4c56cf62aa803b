import { existsSync } from "node:fs";
import axe from "axe-core";
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from "playwright-core";

/** Debian's own: the packages of npm bring none. */
const program = "/usr/bin/chromium";

/** Why nothing can be tried in a browser here; undefined: it can. */
export function whyNoBrowser(): string | undefined {
  return existsSync(program) ? undefined : "chromium is not installed";
}

/** `more`: further arguments of the program. */
export function launchBrowser(...more: readonly string[]): Promise<Browser> {
  return chromium.launch({
    executablePath: program,
    args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", ...more],
  });
}

export interface Tab {
  readonly context: BrowserContext;
  readonly page: Page;
  /** What the browser complained of: errors of scripts, what the policy blocked, requests that failed. */
  readonly complaints: string[];
  /** The origin of everything that was asked for. */
  readonly origins: Set<string>;
}

export async function openTab(browser: Browser, url: string, options: BrowserContextOptions = {}): Promise<Tab> {
  const context = await browser.newContext({ viewport: { width: 1100, height: 800 }, ...options });
  const page = await context.newPage();
  const complaints: string[] = [];
  const origins = new Set<string>();
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("request", (request) => origins.add(new URL(request.url()).origin));
  await page.goto(url);
  return { context, page, complaints, origins };
}

/** What axe finds wrong, one line each. It is evaluated by the debugger, which the page's policy does not concern. */
export async function findBarriers(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const found = await page.evaluate(async () => {
    const { axe: runner } = globalThis as unknown as { axe: { run(options: object): Promise<AxeAnswer> } };
    return runner.run({ resultTypes: ["violations"] });
  });
  return found.violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html.slice(0, 200)}: ${failureSummary ?? ""}`),
  );
}

interface AxeAnswer {
  readonly violations: readonly {
    readonly id: string;
    readonly nodes: readonly { readonly html: string; readonly failureSummary?: string }[];
  }[];
}

/** What is wider than the window, as `div.log`. */
export function findOverflow(page: Page): Promise<string[]> {
  // The types of the browser are not those of this program: the text is evaluated there.
  return page.evaluate<string[]>(`(() => {
    const width = document.documentElement.clientWidth;
    const wide = [...document.querySelectorAll("body *")].filter((element) => {
      const { right, left } = element.getBoundingClientRect();
      return right > width + 1 && left >= 0 && !element.closest(".hidden, pre, .log, .sprite");
    });
    const names = wide.map((element) => element.tagName.toLowerCase() + "." + (element.getAttribute("class") ?? ""));
    if (document.documentElement.scrollWidth > width) names.push("the page scrolls sideways");
    return names;
  })()`);
}
