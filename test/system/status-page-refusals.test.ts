import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { launchBrowser, openTab, whyNoBrowser } from "../support/browser.ts";
import type { DirectorProcess } from "../support/director-process.ts";
import { attemptsWith, postForm, startForeignServer } from "../support/foreign-page.ts";
import { type Instance, makeInstance } from "../support/instance.ts";
import { freePort } from "../support/sshd.ts";

const missing = whyNoBrowser();
const why = missing === undefined ? "" : ` (${missing})`;
const token = "a-token-that-nobody-guesses";

/** A name that is no host of this machine, and that a stranger's server of names has made to point at it. */
const rebound = "director.stranger.example";

interface Guarded {
  readonly instance: Instance;
  readonly director: DirectorProcess;
  readonly port: number;
  readonly url: string;
  /** Whether a job has run, a run was recorded, or a job was paused; what a stranger wanted. */
  readonly whatWasDone: () => Promise<unknown>;
}

const nothing = { ran: false, runs: [], open: [], paused: [null] };

describe.skipIf(missing !== undefined)(`who is turned away by a director, in a browser${why}`, () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchBrowser(`--host-resolver-rules=MAP ${rebound} 127.0.0.1`);
  });
  afterAll(() => browser?.close());

  /** The built program, with a job that leaves a mark when it runs. */
  async function startGuarded(
    withToken: boolean,
    before: (port: number) => Promise<void> = async () => undefined,
  ): Promise<Guarded> {
    const port = await freePort();
    const instance = await makeInstance(({ path }) => ({
      web: { port, ...(withToken ? { token_file: path("token") } : { allow_actions: true }) },
      jobs: [
        {
          ...{ id: "precious", type: "local" },
          actions: [{ action: "command", id: "mark", command: `/usr/bin/touch ${path("ran")}` }],
        },
      ],
    }));
    await writeFile(instance.path("token"), `${token}\n`, { mode: 0o600 });
    await before(port);
    const director = await instance.start();
    return {
      ...{ instance, director, port, url: `http://127.0.0.1:${port}` },
      whatWasDone: async () => {
        const { jobs, runs } = JSON.parse((await instance.cli("status", "--json")).stdout) as Record<string, never[]>;
        return {
          ran: existsSync(instance.path("ran")),
          runs: JSON.parse((await instance.cli("history", "--json")).stdout) as unknown,
          open: runs,
          paused: jobs?.map(({ paused }) => paused as unknown),
        };
      },
    };
  }

  async function newContext(options: Parameters<Browser["newContext"]>[0] = {}): Promise<BrowserContext> {
    const context = await browser.newContext(options);
    onTestFinished(() => context.close());
    return context;
  }

  /** The status of every answer that the director gave to this page. */
  function listenToAnswers(page: Page, director: string): number[] {
    const answers: number[] = [];
    page.on("response", (response) => {
      if (response.url().startsWith(director)) answers.push(response.status());
    });
    return answers;
  }

  /** Lets a page try everything, and says what became of each attempt as far as the page can see. */
  async function tryEverything(page: Page, director: string): Promise<Record<string, string>> {
    const seen: Record<string, string> = {};
    for (const { name, script } of attemptsWith(token)) seen[name] = await page.evaluate<string>(script(director));
    return seen;
  }

  const logIn = (password: string) => ({ httpCredentials: { username: "anybody", password } });
  /** What becomes of a beacon no page is told. */
  const refusedAll = Object.fromEntries(
    attemptsWith(token).map(({ name }) => [name, name.includes("beacon") ? "sent" : "refused"]),
  );

  describe.each([
    ["another host name", "localhost"],
    ["another port of the same host", "127.0.0.1"],
  ])("a page of another site: %s", (_, host) => {
    it.each([
      ["who is logged in", true],
      ["where nobody has to log in", false],
    ])("can neither look nor do anything, in the browser of somebody %s", async (_who, withToken) => {
      const { url, director, whatWasDone } = await startGuarded(withToken);
      const context = await newContext(withToken ? logIn(token) : {});
      const own = await context.newPage();
      await own.goto(url);
      await own.locator('html[data-connection="live"]').waitFor();

      const foreignUrl = `http://${host}:${(await startForeignServer()).port}/`;
      const foreign = await context.newPage();
      const answers = listenToAnswers(foreign, url);
      await foreign.goto(foreignUrl);
      expect(await tryEverything(foreign, url)).toEqual(refusedAll);
      for (const encoding of ["text/plain", "application/x-www-form-urlencoded"] as const) {
        await foreign.goto(foreignUrl);
        await foreign.evaluate(postForm(url, encoding));
        await foreign.getByText("requests of other sites are refused").waitFor();
      }
      // Of what it hides from the page, the browser tells nobody of the status: the log of the director does.
      expect(answers.length).toBeGreaterThanOrEqual(2);
      expect([...new Set(answers)]).toEqual([403]);
      expect(director.lines.filter(({ msg }) => msg === "request refused").length).toBeGreaterThanOrEqual(
        attemptsWith(token).length + 2,
      );
      expect(await whatWasDone()).toEqual(nothing);

      // The director's own page may, in the same browser: what was looked for above would have been seen.
      await own.getByRole("button", { name: "Run now precious" }).click();
      await own.locator("#job-precious .strip rect.good").waitFor({ state: "attached" });
      expect(await whatWasDone()).toMatchObject({ ran: true, runs: [{ outcome: "ok" }] });
    });
  });

  it("does not let itself be shown in another page's frame, its answers neither", async () => {
    const { url } = await startGuarded(false);
    const { page, complaints } = await openTab(browser, `http://localhost:${(await startForeignServer()).port}/`);
    onTestFinished(() => page.context().close());
    for (const path of ["/", "/jobs/precious", "/api/v1/status"]) {
      complaints.length = 0;
      await page.evaluate(`new Promise((resolve) => {
        const frame = document.createElement("iframe");
        frame.src = "${url}${path}";
        frame.addEventListener("load", resolve);
        document.body.replaceChildren(frame);
      })`);
      await expect.poll(() => complaints.join("\n")).toContain("frame-ancestors");
      const [, frame] = page.frames();
      expect(await frame?.locator("body").textContent()).not.toContain("precious");
    }
  });

  it("follows a link from another page, which only shows it to its reader", async () => {
    const { url, whatWasDone } = await startGuarded(false);
    const { page } = await openTab(browser, `http://localhost:${(await startForeignServer()).port}/`);
    onTestFinished(() => page.context().close());
    await page.evaluate(`location.href = "${url}/jobs/precious"`);
    await page.locator('html[data-connection="live"]').waitFor();
    expect(await whatWasDone()).toEqual(nothing);
  });

  it("refuses a stranger's name that was made to point here, also from a page of the same origin", async () => {
    const page = await (await newContext()).newPage();
    // The stranger's own server serves a page, on the same port, before its name leads to the director.
    const { port, url, whatWasDone } = await startGuarded(false, async (own) => {
      const stranger = await startForeignServer(own);
      await page.goto(`http://${rebound}:${own}/`);
      await stranger.close();
    });
    const origin = `http://${rebound}:${port}`;
    const answers = listenToAnswers(page, origin);
    expect(await tryEverything(page, origin)).toMatchObject({
      "read with fetch": "basic 403",
      "read with fetch and the token": "basic 403",
      "read with EventSource": "refused",
      "read as a script": "refused",
      "run with fetch": "basic 403",
      "run with fetch and the token": "basic 403",
    });
    await page.evaluate(postForm(origin, "text/plain"));
    await page.getByText("this Host is not known here").waitFor();
    await page.goto(origin);
    await page.getByText("this Host is not known here").waitFor();
    expect([...new Set(answers)]).toEqual([403]);
    expect(await whatWasDone()).toEqual(nothing);
    await page.goto(url);
    await page.locator("#job-precious").waitFor();
  });

  it("shows and does nothing without a token or with a wrong one, and everything with the right one", async () => {
    const { url, director, whatWasDone } = await startGuarded(true);
    const wrong = await (await newContext(logIn("a-token-that-somebody-guessed"))).newPage();
    const refused = await wrong.goto(url);
    expect(refused?.status()).toBe(401);
    expect(refused?.headers()["www-authenticate"]).toMatch(/^Basic realm="rsyncdirector"/);
    await wrong.getByText("the token or password is wrong").waitFor();
    expect(await wrong.content()).not.toContain("precious");
    await director.waitForLine(({ msg, address }) => msg === "wrong login" && address === "127.0.0.1");
    expect(await whatWasDone()).toEqual(nothing);

    const right = await (await newContext(logIn(token))).newPage();
    expect((await right.goto(url))?.status()).toBe(200);
    await right.locator('html[data-connection="live"]').waitFor();
    await right.getByRole("button", { name: "Run now precious" }).click();
    await right.locator("#job-precious .strip rect.good").waitFor({ state: "attached" });
    expect(await whatWasDone()).toMatchObject({
      ran: true,
      runs: [{ outcome: "ok", cause: { kind: "request", by: "the token" } }],
    });
  });
});
