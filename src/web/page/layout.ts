import type { InstanceStatus } from "../../model/status.ts";
import { html, type Html } from "./html.ts";
import { iconSprite } from "./parts.ts";
import { exactTime } from "./words.ts";

export interface Layout {
  readonly title: string;
  /** Of the navigation, to mark where one is. */
  readonly section: "jobs" | "runs" | "locks" | "changes" | "none";
  readonly main: Html;
  /** Follows the status and shows what has changed; a page that only tells of the past need not. */
  readonly live: boolean;
  /** A run whose events are shown as they come. */
  readonly followRun?: string | undefined;
}

const links = [
  { section: "jobs", href: "/", title: "Jobs" },
  { section: "runs", href: "/runs", title: "Runs" },
  { section: "locks", href: "/locks", title: "Locks" },
  { section: "changes", href: "/changes", title: "Changes" },
] as const;

/** A whole page. `assets` is the path under which scripts and styles are. */
export function documentOf(
  status: InstanceStatus,
  assets: string,
  { title, section, main, live, followRun }: Layout,
): string {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>${title} – ${status.rsyncId}</title>
        <link rel="icon" type="image/svg+xml" href="${assets}/icon.svg" />
        <link rel="stylesheet" href="${assets}/style.css" />
        <script type="module" src="${assets}/main.js"></script>
      </head>
      <body
        ${live && html`data-live="/api/v1/status/stream"`}
        ${followRun !== undefined && html`data-run="${followRun}"`}
        data-at="${status.at}"
      >
        <a class="skip" href="#main">Skip to content</a>
        ${iconSprite}
        <header class="top">
          <p class="brand"><a href="/">rsyncdirector</a> <b>${status.rsyncId}</b> <span>on ${status.hostname}</span></p>
          <nav aria-label="Pages">
            <ul>
              ${links.map(
                (link) =>
                  html`<li>
                    <a href="${link.href}" ${link.section === section && html`aria-current="page"`}>${link.title}</a>
                  </li>`,
              )}
            </ul>
          </nav>
        </header>
        <p id="connection" class="connection" role="status">As of <time>${exactTime(status.at)}</time></p>
        <main id="main" tabindex="-1">${main}</main>
        <p id="result" class="result" role="status" aria-live="polite"></p>
      </body>
    </html> `.toString();
}
