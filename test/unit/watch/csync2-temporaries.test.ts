import { describe, expect, it } from "vitest";
import { withoutTemporaries } from "../../../src/watch/csync2-temporaries.ts";

const deleted = (path: string) => ({ path, kind: "deleted" as const });

describe("temporary files of csync2", () => {
  it.each(["/srv/.file.LOHeob", "/srv/a b/.file.d8oOH1", "/srv/.line\nbreak.txt.QxXV1u", "/srv/.a.b.c.000aaa"])(
    "are left out: %j",
    (path) => expect(withoutTemporaries([deleted(path)])).toEqual([]),
  );

  it.each([
    ...["/srv/.htaccess.backup", "/srv/.data.202611", "/srv/file.LOHeob", "/srv/.LOHeob", "/srv/..LOHeob"],
    ...["/srv/.file.LOHeo", "/srv/.file.LOHeobb", "/srv/.file.LOHe-b", "/srv/.file.LOHeob/inside"],
  ])("are not %j", (path) => expect(withoutTemporaries([deleted(path)])).toEqual([deleted(path)]));

  it("are no directories", () => {
    const changes = [
      { path: "/srv/.file.LOHeob", kind: "tree" as const },
      { path: "/srv/file", kind: "changed" as const },
    ];
    expect(withoutTemporaries([...changes, { path: "/srv/.file.LOHeob", kind: "changed" }])).toEqual(changes);
  });
});
