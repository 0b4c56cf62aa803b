import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { life, live, look, prepare, type Step, steps, truths, wholeLife, withHelper } from "../support/helped-life.ts";
import { killHelper, killShell, openLockShell, waitForEnd } from "../support/lock-shell.ts";

const orders: Record<Step, readonly string[]> = {
  claim: ["NEW", "LOCK", "LINK", "PUT", "UNLOCK"],
  "sign of life": ["LOCK", "HAS", "TOUCH", "REPLACE", "UNLOCK"],
  promotion: ["LOCK", "HAS", "PUT", "UNLOCK"],
  release: ["LOCK .guard", "HAS", "LOCK .hold", "REMOVE", "UNLOCK"],
};
const moments = steps.flatMap((step) =>
  orders[step].flatMap((order) =>
    [false, true].map((after) => ({ step, order, after, when: after ? "after" : "before" })),
  ),
);

/** Or it makes one safe that comes next. */
const isChange = (order: string) => !["NEW", "LOCK", "LOCK .guard", "HAS", "UNLOCK"].includes(order);

describe("death at any moment", () => {
  it.each(moments)(
    "of the helper, $when $order in a $step: an answer is true, a change without one is unknown",
    async (moment) => {
      const { step, order } = moment;
      const path = await prepare(step);
      const shell = await openLockShell({ alter: killHelper(moment), more: withHelper });
      const helper = await shell.startedHelper();
      const answers = await shell.run(life[step](path));
      await waitForEnd(helper);
      // Before a change begins the programs can take over; in the middle of it nobody knows.
      expect(answers).toEqual(isChange(order) ? undefined : truths[step].answers);
      const lock = await look(path);
      if (answers !== undefined) expect(lock).toBe(truths[step].lock);
      expect(["nothing", "claimed", "held"]).toContain(lock);
      if (answers !== undefined) expect(await shell.run("rd_check 0 /nothing")).toEqual(["0 ABSENT"]);
      await goOn(path);
    },
  );

  it.each(moments)("of the shell, $when $order in a $step: the helper ends, and others go on", async (moment) => {
    const path = await prepare(moment.step);
    const shell = await openLockShell({ alter: killShell(moment), more: withHelper });
    const helper = await shell.startedHelper();
    const answers = await shell.run(life[moment.step](path));
    // Only a hold file is unlocked before the answer.
    if (moment.order !== "UNLOCK" || moment.step === "release") expect(answers).toBeUndefined();
    await waitForEnd(helper);
    expect(["nothing", "claimed", "held"]).toContain(await look(path));
    await goOn(path);
  });
});

/** Whoever does not know tries again with another shell, and gets somewhere; nothing is left of it in the end. */
async function goOn(path: string): Promise<void> {
  const shell = await openLockShell({ more: "rd_want_helper" });
  const released = await shell.run(life.release(path));
  expect([["0 RELEASED"], ["0 ABSENT"]]).toContainEqual(released);
  expect(await live(shell, path)).toEqual(wholeLife);
  const left = (await readdir(join(path, ".."))).filter((name) => !/\.(guard|hold)$/.test(name));
  expect(left).toEqual([]);
}
