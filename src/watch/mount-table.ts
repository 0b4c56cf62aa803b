import { readFile } from "node:fs/promises";

/** Which file systems are mounted at, above and below a directory; null where nobody can say. */
export async function readMounts(directory: string): Promise<string | null> {
  const table = await readFile("/proc/self/mountinfo", "latin1").catch(() => null);
  return table === null ? null : mountsAround(directory, table);
}

/** The lines of a mount table (proc_pid_mountinfo(5)) that concern a directory, without what may vary in them. */
export function mountsAround(directory: string, table: string): string {
  const own = withSlash(Buffer.from(directory, "utf8").toString("latin1"));
  return table
    .split("\n")
    .map((line) => line.split(" ", 5))
    .filter(([, , , , point]) => {
      if (point === undefined) return false;
      const mounted = withSlash(point.replace(/\\([0-7]{3})/g, (_, code: string) => byteOf(code)));
      return mounted.startsWith(own) || own.startsWith(mounted);
    })
    .map((fields) => fields.join(" "))
    .join("\n");
}

function byteOf(octal: string): string {
  return String.fromCharCode(Number.parseInt(octal, 8));
}

function withSlash(path: string): string {
  return path.endsWith("/") ? path : `${path}/`;
}
