import { describe, expect, it } from "vitest";
import { judgeCopies } from "../../../src/cli/judge-copies.ts";
import type { StatusReport } from "../../../src/cli/status-report.ts";
import { sampleJob, sampleNow, sampleTarget } from "../../support/status-samples.ts";

const hour = 3_600_000;
const thresholds = { warnMs: 26 * hour, critMs: 50 * hour };
const job = (id: string, ageHours: number | null, overrides = {}) =>
  sampleJob(id, { lastSuccessAt: ageHours === null ? null : sampleNow - ageHours * hour, ...overrides });
const judge = (jobs: StatusReport["jobs"], overrides: Partial<StatusReport> = {}) =>
  judgeCopies(
    { rsyncId: "nas", jobs, director: "running", history: { ok: true, detail: "" }, ...overrides },
    { now: sampleNow, thresholds },
  );

describe("the verdict on copies", () => {
  it.each([
    [1, "ok"],
    [26, "ok"],
    [26.01, "warning"],
    [50, "warning"],
    [50.01, "critical"],
    [null, "critical"],
  ])("of one that last succeeded %s hours ago is %s", (hours, state) => {
    expect(judge([job("home", hours)]).state).toBe(state);
  });

  it("is one line with the figures of all, the worst first", () => {
    expect(judge([job("home", 3), job("mail", 30), job("photos", 60), job("new", null)])).toEqual({
      state: "critical",
      line:
        "RSYNCDIRECTOR CRITICAL - nas: new has never succeeded, photos last succeeded 2d 12h ago, " +
        "mail last succeeded 1d 6h ago | 'home'=10800s;93600;180000;0 'mail'=108000s;93600;180000;0 " +
        "'photos'=216000s;93600;180000;0 'new'=U;93600;180000;0",
    });
    expect(judge([job("home", 3), job("mail", 4)]).line).toBe(
      "RSYNCDIRECTOR OK - nas: 2 copies, the oldest: mail last succeeded 4h ago | " +
        "'home'=10800s;93600;180000;0 'mail'=14400s;93600;180000;0",
    );
  });

  it("counts every target of several, and leaves out what is disabled", () => {
    const targets = [
      sampleTarget("nas", { lastSuccessAt: sampleNow - hour }),
      sampleTarget("vault", { lastSuccessAt: sampleNow - 60 * hour }),
    ];
    const { state, line } = judge([job("photos", 1, { targets }), job("old", 99, { enabled: false })]);
    expect(state).toBe("critical");
    expect(line).toContain("photos/vault last succeeded 2d 12h ago | 'photos/nas'=3600s");
    expect(line).not.toContain("old");
  });

  it("is UNKNOWN when nobody can say, but not where something is known to be critical", () => {
    const history = { ok: false, detail: "disk full" };
    expect(judge([job("home", null)], { history })).toMatchObject({
      state: "unknown",
      line: expect.stringContaining("nobody can say when home last succeeded; the history says nothing: disk full"),
    });
    expect(judge([job("home", null), job("mail", 60)], { history }).state).toBe("critical");
    expect(judge([]).state).toBe("unknown");
  });

  it("says what explains it: no director, a pause", () => {
    const paused = { since: 0, until: null, by: "root", reason: null };
    expect(judge([job("home", 3, { paused })], { director: "stopped" }).line).toContain(
      "; no director is running; home is paused | ",
    );
  });

  it("keeps what others wrote out of the figures and on one line", () => {
    const { line } = judge([job("home", null)], { history: { ok: false, detail: "a | 'x'=1\nb" } });
    expect(line.split(" | ")).toHaveLength(2);
    expect(line).not.toContain("\n");
  });
});
