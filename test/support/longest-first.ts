import { BaseSequencer, type TestSpecification } from "vitest/node";

/** Each takes long for its kind; one of them begun last would run on alone when everything else is done. */
const longest = [
  "system/chaos.test.ts",
  "system/chaos-trials.test.ts",
  "system/chaos-faults.test.ts",
  "system/chaos-kills.test.ts",
  "system/lock-fault-sweep.test.ts",
  "system/watch-kill.test.ts",
  "system/change-tracking-kills.test.ts",
  "system/csync2-watch.test.ts",
  "system/model.test.ts",
  "system/watch-storms.test.ts",
  "system/package-deb.test.ts",
  "system/containers.test.ts",
  "system/readme.test.ts",
  "end-to-end/daemon.test.ts",
  "system/hold-lock.test.ts",
  "contract/lock-transport.test.ts",
  "integration/command-action.test.ts",
];

/** The longest files first, the others as vitest orders them; a fresh clone has no durations to go by. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const rank = ({ moduleId }: TestSpecification) => {
      const index = longest.findIndex((name) => moduleId.endsWith(`/test/${name}`));
      return index < 0 ? longest.length : index;
    };
    return sorted.toSorted((one, other) => rank(one) - rank(other));
  }
}
