import { execFile } from "node:child_process";
import { mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { linkedTimeZone, openTimeZone } from "../../src/trigger/time-zone.ts";
import { projectRoot } from "../support/project-files.ts";
import { makeTempDir } from "../support/temp-dir.ts";

const day = 86_400_000;

describe("the host's time zone", () => {
  test.each(["Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "Pacific/Apia"])(
    "%s is counted as Intl counts it, changes of the clocks too",
    async (name) => {
      const module = JSON.stringify(pathToFileURL(join(projectRoot, "src/trigger/time-zone.ts")));
      const script = `
        import { openTimeZone } from ${module};
        const [host, named] = [openTimeZone(undefined, () => "${name}"), openTimeZone("${name}")];
        const instants = Array.from({ length: 4000 }, (_, step) => Date.parse("2009-12-25T00:00:00Z") + step * ${1.7 * day});
        const from = Date.parse("2024-01-01T00:00:00Z");
        console.log(JSON.stringify({
          different: instants.filter((at) => host.offsetAt(at) !== named.offsetAt(at)),
          zones: [host, named].map((zone) => zone.nextChange(from, from + ${366 * day})),
          offsets: new Set(instants.map((at) => named.offsetAt(at))).size,
        }));`;
      const { stdout } = await promisify(execFile)(
        process.execPath,
        ["--import", "tsx", "--input-type=module", "-e", script],
        { cwd: projectRoot, env: { ...process.env, TZ: name } },
      );
      const { different, zones, offsets } = JSON.parse(stdout) as {
        different: number[];
        zones: unknown[];
        offsets: number;
      };
      expect(different).toEqual([]);
      expect(zones[0]).toEqual(zones[1]);
      expect(offsets).toBeGreaterThan(1);
    },
  );

  test("is what /etc/localtime leads to, unless the environment says something else", async () => {
    const directory = await makeTempDir();
    const [zone, localtime] = [join(directory, "zoneinfo/Europe/Berlin"), join(directory, "localtime")];
    await mkdir(join(directory, "zoneinfo/Europe"), { recursive: true });
    await writeFile(zone, "");
    await symlink(zone, localtime);
    expect(linkedTimeZone({ localtime, tz: undefined })).toBe("Europe/Berlin");
    expect(linkedTimeZone({ localtime, tz: "UTC" })).toBe("UTC");
    expect(linkedTimeZone({ localtime, tz: "Asia/Tokyo" })).toBe(undefined);
  });

  test("is asked of Intl where a file of no name lies in its place, or none", async () => {
    const directory = await makeTempDir();
    const localtime = join(directory, "localtime");
    expect(linkedTimeZone({ localtime, tz: undefined })).toBe(undefined);
    await writeFile(localtime, "");
    expect(linkedTimeZone({ localtime, tz: undefined })).toBe(undefined);
    expect(openTimeZone(undefined, () => undefined).name).toBe("UTC");
  });
});
