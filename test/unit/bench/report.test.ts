import { describe, expect, it } from "vitest";
import { describePerformance } from "../../../bench/report/performance-files.ts";
import type { Results } from "../../../bench/results.ts";
import { anchors, linkTargets } from "../../support/markdown.ts";
import { xmlComplaint } from "../../support/xml.ts";
import { madeUpAreas, madeUpFigure, madeUpResults, madeUpRow } from "./made-up-results.ts";

const profiles = "# Profiles\n\nText.\n\n## A loop\n\n```sh\n# not a heading\n```\n";

function describeResults(results: Results) {
  const files = describePerformance({ areas: madeUpAreas, results, profiles });
  return { files, page: files.get("performance.md") ?? "" };
}

describe("the page", () => {
  const { page } = describeResults(madeUpResults);

  it("says how many bars are met, and which are not, and by how much", () => {
    expect(page).toContain("**1 of 2 bars are met.** These are not");
    expect(page).toContain("- start → /metrics: ≤ 250 ms: **missed** by 24 % (310 ms) (`start`)");
    expect(page).not.toContain("- syncs ÷ loop");
  });

  it("shows each figure with its spread, rounds and bar, and what it is made of", () => {
    expect(page).toContain("| **syncs ÷ loop** | **1** | 0.9 to 1.1 | 3 | ≤ 1.05: met |");
    expect(page).toContain('| director, "quick" | 1,000 ms | 900 to 1,100 | 3 |  |');
    expect(page).toContain("| **nothing at all** | **0 s** | 0 to 0 | 3 |  |");
  });

  it("lets no name end a cell or begin markup", () => {
    expect(page).toContain(String.raw`| sh: rsync &lt;a> && b \| c | 1,000 ms |`);
  });

  it("says what each figure goes to, and names the machine once", () => {
    expect(page).toContain("**What it goes to.** It goes to rsync.");
    expect(page.split("- a processor · 2 cores").length - 1).toBe(1);
    expect(page).toContain("2026-05-04 03:02 UTC, load 0.1, 2 % of the processors used by others, 60 s. 100 files.");
  });

  it("tells rows that were not measured", () => {
    expect(page).toContain("### Remote syncs\n\nNot measured yet (`npm run bench -- remote`).");
  });

  it("names every machine and commit, when rows were measured at different ones", () => {
    const other = madeUpRow("start", [madeUpFigure([1])], {
      ...{ machine: "another processor", commit: "abcdef", date: "2026-06-04T03:02:01.000Z" },
    });
    const { page: mixed } = describeResults({ rows: [...madeUpResults.rows.slice(0, 1), other] });
    expect(mixed).toContain("- a processor · 2 cores\n- another processor\n");
    expect(mixed).toContain("- 2026-05-04 to 2026-06-04, 2 minutes, commit 0123456789; abcdef");
  });

  it("takes the profiles in, one level deeper, and leaves code alone", () => {
    expect(page).toContain("## Profiles\n\nText.\n\n### A loop\n\n```sh\n# not a heading\n```\n");
    expect(anchors(page)).toContain("start--idle");
  });

  it("says that nothing was measured rather than that nothing was missed", () => {
    const { page: empty, files } = describeResults({ rows: [] });
    expect(empty).toContain("Nothing has been measured yet.");
    expect(empty).not.toContain("bars are met");
    expect([...files.keys()]).toEqual(["performance.md"]);
  });

  it("counts a figure that is no number as missed", () => {
    const { page: broken } = describeResults({ rows: [madeUpRow("local", [madeUpFigure([Number.NaN])])] });
    expect(broken).toContain("**0 of 1 bars are met.**");
  });
});

describe("the charts", () => {
  const { files, page } = describeResults(madeUpResults);
  const charts = [...files].filter(([path]) => path.endsWith(".svg"));

  it("are those that the page shows", () => {
    const shown = linkTargets(page).filter((target) => target.endsWith(".svg"));
    expect(shown).toEqual([
      "performance/chart-overview.svg",
      "performance/chart-many-syncs.svg",
      "performance/chart-start-idle.svg",
    ]);
    expect(charts.map(([path]) => path)).toEqual(shown);
  });

  it.each(charts)("are well-formed, for both modes, and can be read out: %s", (_, svg) => {
    expect(xmlComplaint(svg)).toBeUndefined();
    expect(svg).toContain("@media (prefers-color-scheme: dark)");
    expect(svg).toMatch(/<svg [^>]*role="img" aria-labelledby="title description">/);
    expect(svg).toMatch(/<title id="title">[^<]+<\/title>\n<desc id="description">[^<]+<\/desc>/);
    expect(svg).not.toMatch(/NaN|undefined|Infinity/);
  });

  it("draw both sides of a ratio on one scale", () => {
    const chart = files.get("performance/chart-many-syncs.svg") ?? "";
    const widths = [...chart.matchAll(/<rect class="(ours|peer)" x="24" [^>]*width="([\d.]+)" height="12" rx="2"\/>/g)];
    const drawn = widths.map(([, side, width]) => [side, Number(width)]).slice(-2);
    // The longest that was measured, 1,100 ms, is 600 wide.
    expect(drawn).toEqual([
      ["ours", 545.5],
      ["peer", 545.5],
    ]);
    expect(chart).toContain("director, &quot;quick&quot;");
    expect(chart).toContain("1, bar ≤ 1.05: met");
  });

  it("show the bar of a figure that is no ratio, at its place", () => {
    const chart = files.get("performance/chart-start-idle.svg") ?? "";
    expect(chart).toMatch(/<line class="bar" x1="492.8" x2="492.8"/);
    expect(chart).toContain("310 ms, bar ≤ 250 ms: missed");
  });
});
