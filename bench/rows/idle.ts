import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { startBenchDirector } from "../director.ts";
import type { Row } from "../row.ts";
import { seriesOf } from "../series.ts";

/** Long enough for V8 to have tidied up after the start, which it does once. */
const settleSeconds = 15;
const windowSeconds = 20;

/** What a director costs that has nothing to do. */
export const idle: Row = {
  name: "idle",
  run: async (directory) => {
    const actions = [{ action: "sync", id: "sync", source: `${directory}/source/`, dest: `${directory}/dest` }];
    const director = await startBenchDirector(directory, [{ id: "job", type: "local", actions }]);
    try {
      await seconds(settleSeconds);
      const before = { wakeUps: wakeUps(director.pid), cpu: cpuMilliseconds(director.pid) };
      await seconds(windowSeconds);
      const perSecond = (wakeUps(director.pid) - before.wakeUps) / windowSeconds;
      const cpu = cpuMilliseconds(director.pid) - before.cpu;
      const figure = (name: string, unit: string, value: number, bar: number, note: string) => {
        return { name, unit, measured: seriesOf([value]), bar, parts: [], note };
      };
      return [
        figure("idle memory", "MB RSS", residentMegabytes(director.pid), 65, ""),
        figure("idle wake-ups", "/s", perSecond, 1, `voluntary context switches of all threads in ${windowSeconds} s`),
        figure("idle CPU", "ms", cpu, 20, `in ${windowSeconds} s; the kernel counts in steps of 10 ms`),
      ];
    } finally {
      await director.stop();
    }
  },
};

function seconds(count: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, count * 1000));
}

function wakeUps(pid: number): number {
  const tasks = `/proc/${pid}/task`;
  return readdirSync(tasks)
    .map((task) => /^voluntary_ctxt_switches:\s*(\d+)/m.exec(readFileSync(join(tasks, task, "status"), "utf8")))
    .reduce((sum, match) => sum + Number(match?.[1] ?? 0), 0);
}

function residentMegabytes(pid: number): number {
  const kibibytes = /^VmRSS:\s*(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  return (Number(kibibytes) * 1024) / 1e6;
}

/** utime and stime; both count in hundredths of a second on Linux. */
function cpuMilliseconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10;
}
