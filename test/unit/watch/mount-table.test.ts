import { expect, it } from "vitest";
import { mountsAround } from "../../../src/watch/mount-table.ts";

const table = [
  "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw",
  "30 22 0:25 / /srv/www/a\\040b rw - tmpfs tmpfs rw",
  "31 22 8:2 / /srv rw - ext4 /dev/sdb1 rw",
  "32 22 0:26 / /srv/www2 rw - tmpfs tmpfs rw",
  "33 22 0:27 / /proc rw - proc proc rw",
  "",
].join("\n");

it("knows the mounts at, above and below a directory", () => {
  expect(mountsAround("/srv/www", table)).toBe(
    ["22 1 8:1 / /", "30 22 0:25 / /srv/www/a\\040b", "31 22 8:2 / /srv"].join("\n"),
  );
});

it("does not care for options and for other directories", () => {
  const other = table.replaceAll("rw", "ro").replace("/proc", "/sys").replace("32 22", "99 22");
  expect(mountsAround("/srv/www", other)).toBe(mountsAround("/srv/www", table));
  expect(mountsAround("/srv/www", table.replace("0:25", "0:31"))).not.toBe(mountsAround("/srv/www", table));
});

it("reads the names of mounts as the kernel writes them", () => {
  expect(mountsAround("/srv/www/a b", table)).toContain("a\\040b");
});
