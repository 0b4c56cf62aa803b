import { chmodSync, existsSync, lstatSync, mkdirSync, readdirSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { appendFileSync, cpSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/**
 * Does random things to a tree, and to `outside`, from where things come and where they go; one per call. What the file
 * system refuses is refused.
 */
export function createRandomOperations(root: string, outside: string, random: () => number): () => string {
  const pick = <Item>(items: readonly Item[]): Item => items[Math.floor(random() * items.length)] as Item;
  const names = ["a", "b", "c", "source", "a-b", "ä"];
  const somewhere = (base: string): string => {
    let path = base;
    for (let depth = Math.floor(random() * 4); depth > 0; depth -= 1) {
      if (!existsSync(path) || !lstatSync(path).isDirectory()) break;
      const inside = readdirSync(path);
      if (inside.length === 0) break;
      path = join(path, pick(inside));
    }
    return path;
  };
  const isDirectory = (path: string) => existsSync(path) && lstatSync(path).isDirectory();
  const directory = (base: string): string => {
    const path = somewhere(base);
    return isDirectory(path) ? path : base;
  };
  const entry = () => join(directory(root), pick(names));
  const stash = () => join(outside, pick(names));
  let count = 0;

  const operations: Record<string, () => void> = {
    write: () => writeFileSync(entry(), `${count}`),
    append: () => appendFileSync(entry(), `+${count}`),
    save: () => {
      const path = entry();
      writeFileSync(`${path}.tmp`, `${count}`);
      renameSync(`${path}.tmp`, path);
    },
    mkdir: () => mkdirSync(entry()),
    chain: () => {
      const path = join(entry(), pick(names), pick(names));
      mkdirSync(path, { recursive: true });
      writeFileSync(join(path, pick(names)), `${count}`);
    },
    remove: () => rmSync(entry(), { recursive: true }),
    replace: () => {
      const path = entry();
      rmSync(path, { recursive: true, force: true });
      mkdirSync(path);
      writeFileSync(join(path, pick(names)), `${count}`);
    },
    move: () => renameSync(entry(), entry()),
    moveOut: () => renameSync(entry(), stash()),
    moveIn: () => renameSync(stash(), entry()),
    clearOutside: () => rmSync(stash(), { recursive: true, force: true }),
    changeOutside: () => writeFileSync(join(directory(outside), pick(names)), `outside ${count}`),
    copy: () => cpSync(directory(root), stash(), { recursive: true }),
    chmod: () => chmodSync(somewhere(root), 0o700 + Math.floor(random() * 64)),
    link: () => symlinkSync(pick(["nowhere", "..", "a"]), entry()),
  };
  const choices = [
    ...Object.entries(operations),
    ...["write", "write", "append", "mkdir", "chain", "move"].map((name) => [name, operations[name]] as const),
  ];

  return () => {
    count += 1;
    const [name, operation] = pick(choices);
    try {
      operation?.();
    } catch (error) {
      if (!(error instanceof Error && "code" in error)) throw error;
      return `${name} refused`;
    }
    return name;
  };
}
