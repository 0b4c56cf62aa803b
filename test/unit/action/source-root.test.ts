import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { pathInTransfer, sourceRoot } from "../../../src/action/source-root.ts";

describe("a changed path in a transfer", () => {
  it.each([
    ["/srv/www/", "/srv/www/a/b", "a/b"],
    ["/srv/www", "/srv/www/a/b", "www/a/b"],
    ["/srv/www/.", "/srv/www/a", "a"],
    ["/srv//www//", "/srv/www/a", "a"],
    ["/srv/www/", "/srv/www", ""],
    ["/srv/www", "/srv/www", "www"],
    ["/srv/file", "/srv/file", "file"],
    ["/", "/a", "a"],
    ["/srv/www/", "/srv/www2/a", undefined],
    ["/srv/www", "/srv", undefined],
  ])("of the source %s: %s is %s", (source, path, expected) => {
    expect(pathInTransfer(sourceRoot(source), path)).toBe(expected);
  });

  it("leads from the base to where it is", () => {
    const part = fc.constantFrom("a", "b c", "-x", "[*]", "..c", "\n");
    const parts = fc.array(part, { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(parts, parts, fc.boolean(), (above, below, contents) => {
        const root = sourceRoot(`/${above.join("/")}${contents ? "/" : ""}`);
        const path = `/${[...above, ...below].join("/")}`;
        const base = root.base === "/" ? "" : root.base;
        expect(`${base}/${pathInTransfer(root, path)}`).toBe(path);
      }),
    );
  });
});
