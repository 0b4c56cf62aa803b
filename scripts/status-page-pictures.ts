// Takes the pictures of docs/images from the built page with made-up jobs: `npx tsx scripts/status-page-pictures.ts`.
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { launchBrowser, openTab } from "../test/support/browser.ts";
import { createFakeControl } from "../test/support/fake-control.ts";
import { runsOf, statusWith } from "../test/support/page-samples.ts";
import { startPageServer } from "../test/support/page-server.ts";
import { projectRoot } from "../test/support/project-files.ts";

const pictures = [
  { name: "status-page-light", path: "/", colorScheme: "light", width: 1100, height: 860, scale: 1 },
  { name: "status-page-dark", path: "/jobs/photos", colorScheme: "dark", width: 1100, height: 860, scale: 1 },
  { name: "status-page-phone", path: "/", colorScheme: "light", width: 360, height: 760, scale: 1.5 },
] as const;

const directory = join(projectRoot, "docs/images");
await mkdir(directory, { recursive: true });
const status = statusWith(13);
const control = createFakeControl({ status });
// The samples' own runs would be there twice.
control.records.splice(0, control.records.length, ...runsOf(status.jobs));
const server = await startPageServer(control);
const browser = await launchBrowser();
try {
  for (const { name, path, colorScheme, width, height, scale } of pictures) {
    const viewport = { width, height };
    const { page, context } = await openTab(browser, server.url + path, {
      colorScheme,
      viewport,
      deviceScaleFactor: scale,
    });
    await page.locator('html[data-connection="live"]').waitFor();
    await page.screenshot({ path: join(directory, `${name}.png`) });
    await context.close();
  }
} finally {
  await browser.close();
  await server.stop();
}
