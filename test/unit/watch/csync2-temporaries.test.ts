import { describe, expect, it } from "vitest";
import { withoutTemporaries } from "../../../src/watch/csync2-temporaries.ts";

const deleted = (path: string) => ({ path, kind: "deleted" as const });

describe("temporary files of csync2", () => {
  it.each(["/srv/.file.LOHeob", "/srv/a b/.file.d8oOH1", "/srv/.line\nbreak.txt.QxXV1u", "/srv/.a.b.c.000aaa"])(
    "are left out once they are gone: %j",
    (path) => expect(withoutTemporaries([deleted(path)])).toEqual([]),
  );

  it.each([
    ...["/srv/.htaccess.backup", "/srv/.data.202611", "/srv/file.LOHeob", "/srv/.LOHeob", "/srv/..LOHeob"],
    ...["/srv/.file.LOHeo", "/srv/.file.LOHeobb", "/srv/.file.LOHe-b", "/srv/.file.LOHeob/inside"],
  ])("are not %j", (path) => expect(withoutTemporaries([deleted(path)])).toEqual([deleted(path)]));

  it("count like any other file as long as they are there", () => {
    const changes = [
      { path: "/srv/.file.LOHeob", kind: "changed" as const },
      { path: "/srv/.file.LOHeob", kind: "tree" as const },
      deleted("/srv/file"),
    ];
    expect(withoutTemporaries([...changes, deleted("/srv/.file.LOHeob")])).toEqual(changes);
  });
});
