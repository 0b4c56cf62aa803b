import { expect, it } from "vitest";
import { Emitter } from "../../../../src/base/emitter.ts";
import { followStatus } from "../../../../src/daemon/systemd/service-status.ts";
import type { DirectorEvents } from "../../../../src/model/events.ts";

it("forgets schedules that a reload has changed or taken away", () => {
  const events = new Emitter<DirectorEvents>((error) => {
    throw error;
  });
  const status = followStatus(events, () => undefined);
  const day = Date.parse("2026-03-02T00:00:00Z");
  const due = (jobs: string[], at: number) =>
    events.emit("schedule:next", { jobs, schedule: "0 0 * * *", last: null, next: at });
  due(["home", "mail"], day);
  due(["home"], day + 3_600_000);
  expect(status.text()).toBe("idle; next: home at 2026-03-02 01:00 UTC");
  due(["gone"], day + 60_000);
  events.emit("config:reload", { ok: true, message: "", by: "anna", at: day + 120_000 });
  expect(status.text()).toBe("idle; next: home at 2026-03-02 01:00 UTC");
  status.stop();
});
