import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { startBenchDirector } from "../director.ts";
import type { Row } from "../row.ts";
import { seriesOf } from "../series.ts";

const settleSeconds = 10;
const windowSeconds = 20;
const windowCount = 3;

/** What a director costs that has nothing to do. */
export const idle: Row = {
  name: "idle",
  run: async (directory) => {
    const actions = [
      { action: "sync", id: "sync", source: `${directory}/source/`, dest: `${directory}/dest`, opts: ["-a"] },
    ];
    const director = await startBenchDirector(directory, [{ id: "job", type: "local", actions }]);
    try {
      await seconds(settleSeconds);
      const windows = [];
      for (let window = 0; window < windowCount; window += 1) windows.push(await watchWindow(director.pid));
      const wakeUpsEach = seriesOf(windows.map(({ wakeUpsPerSecond }) => wakeUpsPerSecond));
      const cpuEach = seriesOf(windows.map(({ cpuMilliseconds: cpu }) => cpu));
      const memory = seriesOf([residentMegabytes(director.pid)]);
      const perWindow = `windows of ${windowSeconds} s`;
      return [
        { name: "idle memory", unit: "MB RSS", measured: memory, bar: 65, parts: [], note: "" },
        {
          ...{ name: "idle wake-ups", unit: "/s", measured: wakeUpsEach, bar: 1, parts: [] },
          note: `voluntary context switches of all threads, ${perWindow}; V8 tidies up in one of them`,
        },
        {
          ...{ name: "idle CPU", unit: "ms", measured: cpuEach, bar: 20, parts: [] },
          note: `${perWindow}; the kernel counts in steps of 10 ms`,
        },
      ];
    } finally {
      await director.stop();
    }
  },
};

async function watchWindow(pid: number): Promise<{ wakeUpsPerSecond: number; cpuMilliseconds: number }> {
  const before = { wakeUps: wakeUps(pid), cpu: cpuMilliseconds(pid) };
  await seconds(windowSeconds);
  return {
    wakeUpsPerSecond: (wakeUps(pid) - before.wakeUps) / windowSeconds,
    cpuMilliseconds: cpuMilliseconds(pid) - before.cpu,
  };
}

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
