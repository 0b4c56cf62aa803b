import { expect, it } from "vitest";
import { judgeSleep } from "../../../../src/daemon/doctor/doctor-sleep.ts";

it.each([
  [0, "", "ok", "is put off while jobs work"],
  [
    1,
    "Failed to inhibit: Access denied\n",
    "warning",
    "is not put off while jobs work: Failed to inhibit: Access denied",
  ],
  [1, "Failed to inhibit: Interactive authentication required.\n", "warning", "Interactive authentication required."],
  [null, "spawn systemd-inhibit ENOENT", "ok", "is not put off while jobs work: spawn systemd-inhibit ENOENT"],
  [1, "Failed to connect to bus: No such file or directory\n", "ok", "Failed to connect to bus"],
  [null, "", "ok", "no answer from logind"],
])("of an exit status of %s and %j the doctor makes: sleep, %s", (exitCode, stderr, state, message) => {
  const finding = judgeSleep(exitCode, stderr);
  expect(finding).toMatchObject({ check: "sleep", state, message: expect.stringContaining(message) });
  expect(finding.remedy?.includes("inhibit_sleep: false") ?? false).toBe(state === "warning");
});
